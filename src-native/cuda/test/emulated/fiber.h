/* A thread of execution with a stack of its own, switched to by hand: the callee-saved registers and the stack pointer. (swapcontext
   makes two system calls for the signal mask each time.) */
#pragma once
#include <cstdint>
#include <vector>

#if defined(__x86_64__)
/* Saves the registers that a function must keep on this stack, its pointer in *from, and goes on where `to` was saved. */
extern "C" void emu_switch(void **from, void *to);
asm(R"(
.text
.local emu_switch
emu_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
)");
namespace emu {
struct Context {
    void *pointer = nullptr;
    void start(std::vector<char> &stack, void (*entry)()) {
        auto top = reinterpret_cast<std::uintptr_t>(stack.data() + stack.size()) & ~std::uintptr_t(15);
        void **slot = reinterpret_cast<void **>(top) - 2; /* where ret finds entry; then a place for a return address */
        slot[0] = reinterpret_cast<void *>(entry);
        slot[1] = nullptr;
        pointer = slot - 6;
    }
    void switch_to(Context &other) { emu_switch(&pointer, other.pointer); }
};
}  // namespace emu
#else
#include <ucontext.h>
namespace emu {
struct Context {
    ucontext_t context;
    void start(std::vector<char> &stack, void (*entry)()) {
        getcontext(&context);
        context.uc_stack.ss_sp = stack.data();
        context.uc_stack.ss_size = stack.size();
        context.uc_link = nullptr;
        makecontext(&context, entry, 0);
    }
    void switch_to(Context &other) { swapcontext(&context, &other.context); }
};
}  // namespace emu
#endif
