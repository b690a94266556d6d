// In place of runtime.cpp in a web page: one thread, and memory that WebAssembly gives.

#include "runtime.h"

// All memory beyond the linker's own belongs to `kan_take`, in blocks that were once asked for.
extern "C" unsigned char __heap_base;

namespace {

constexpr size_t PAGE = 1 << 16;

// A block that was given back, in it where the next one lies.
struct Free {
  Free* next;
  size_t bytes;
};

Free* blocks_free = nullptr;
size_t heap_end = 0;

}  // namespace

extern "C" {

struct kan_share {
  int64_t next, count;
};

void* kan_take(size_t wanted, size_t* got) {
  wanted = (wanted + 63) / 64 * 64;
  for (Free** at = &blocks_free; *at; at = &(*at)->next) {
    Free* const found = *at;
    if (found->bytes < wanted || found->bytes / 2 > wanted + PAGE) continue;
    *at = found->next;
    *got = found->bytes;
    return found;
  }
  if (!heap_end) heap_end = (reinterpret_cast<size_t>(&__heap_base) + 63) / 64 * 64;
  const size_t there = __builtin_wasm_memory_size(0) * PAGE;
  if (wanted > there - heap_end) {
    const size_t pages = (wanted - (there - heap_end) + PAGE - 1) / PAGE;
    if (__builtin_wasm_memory_grow(0, pages) == static_cast<size_t>(-1)) return nullptr;
  }
  void* const made = reinterpret_cast<void*>(heap_end);
  heap_end += wanted;
  *got = wanted;
  return made;
}

void kan_give(void* memory, size_t bytes) {
  Free* const block = static_cast<Free*>(memory);
  *block = {blocks_free, bytes};
  blocks_free = block;
}

// For the page, which keeps what it takes.
KAN_PUBLIC void* kan_take_some(size_t wanted) {
  size_t got;
  return kan_take(wanted, &got);
}

bool kan_next(kan_share& share, int64_t* piece) {
  *piece = share.next++;
  return *piece < share.count;
}

void kan_share_out(int64_t count, int64_t, void (*run)(void*, kan_share&), void* given) {
  kan_share share = {0, count};
  run(given, share);
}

}  // extern "C"
