// What the kernels of all orders and instruction sets share, in runtime.cpp: threads and memory.
#pragma once

#include <stddef.h>
#include <stdint.h>

#if defined(__wasm__)  // there is no C library: both are instructions
#define memcpy __builtin_memcpy
#define memset __builtin_memset
#else
#include <string.h>
#endif

#if defined(_WIN32)
#define KAN_PUBLIC extern "C" __declspec(dllexport)
#else
#define KAN_PUBLIC extern "C" __attribute__((visibility("default")))
#endif

extern "C" {
// Memory aligned to a cache line, a multiple of one, or null; `got` bytes are to be given back.
void* kan_take(size_t wanted, size_t* got);
void kan_give(void* memory, size_t bytes);

// Work in pieces 0 ... count - 1. Each thread that takes part calls `run` once, and in it takes
// pieces until there are none. Returns when all are done.
struct kan_share;
bool kan_next(kan_share& share, int64_t* piece);
void kan_share_out(int64_t count, int64_t threads, void (*run)(void*, kan_share&), void* given);
}

namespace {

template <class F>
void share_out(int64_t count, int64_t threads, const F& f) {
  const auto run = [](void* given, kan_share& share) { (*static_cast<const F*>(given))(share); };
  kan_share_out(count, threads, run, const_cast<F*>(&f));
}

}  // namespace
