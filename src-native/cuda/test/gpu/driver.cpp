#include "driver.h"

Driver::Driver() : library(dlopen("libcuda.so.1", RTLD_NOW)) {
    if (!library) throw std::runtime_error(std::string("no CUDA driver: ") + dlerror());
}

void *Driver::find(const char *name) const {
    void *function = dlsym(library, name);
    if (!function) throw std::runtime_error(std::string("the driver has no ") + name + ": it is too old");
    return function;
}

std::string Driver::error(CUresult result) const {
    const char *text = nullptr;
    reinterpret_cast<CUresult (*)(CUresult, const char **)>(find("cuGetErrorName"))(result, &text);
    return text ? text : "error " + std::to_string(result);
}
