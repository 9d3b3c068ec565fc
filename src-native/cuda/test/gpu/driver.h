/* The CUDA driver's functions that the harness calls, found by name in libcuda.so.1: it is built where no driver is. */
#pragma once
#include <cuda.h>
#include <dlfcn.h>

#include <stdexcept>
#include <string>

class Driver {
  public:
    Driver();
    /* Calls a function of the driver; throws its name and error. */
    template <class... Parameters, class... Arguments> void call(const char *name, CUresult (*)(Parameters...), Arguments... arguments) const {
        auto function = reinterpret_cast<CUresult (*)(Parameters...)>(find(name));
        if (CUresult result = function(arguments...)) throw std::runtime_error(std::string(name) + ": " + error(result));
    }

  private:
    void *library;
    void *find(const char *name) const;
    std::string error(CUresult result) const;
};
/* cuda.h names each function as its newest version: the name that the library has, and the type. */
#define MOEBIUS_NAME_OF(function) #function
#define MOEBIUS_NAME(function) MOEBIUS_NAME_OF(function)
#define DRIVER(function, ...) driver.call(MOEBIUS_NAME(function), static_cast<decltype(&function)>(nullptr) __VA_OPT__(,) __VA_ARGS__)
