// Threads and memory for the kernels, and what the processor can do.
//
// Where torch has loaded GNU OpenMP its threads do the work (`Borrowed` below). Otherwise, and for a
// while where these come late, threads of our own, which wait asleep. A region of theirs does not
// end when every thread has come, but when every piece is done: the caller takes pieces like the
// rest, and a thread that comes late, since something else runs in its place, finds nothing left
// and keeps nobody waiting.

#include "runtime.h"

#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <malloc.h>
#include <windows.h>
#else
#include <pthread.h>
#include <signal.h>
#include <time.h>
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace {

#if defined(_WIN32)

struct Mutex {
  SRWLOCK lock_ = SRWLOCK_INIT;
  void lock() { AcquireSRWLockExclusive(&lock_); }
  void unlock() { ReleaseSRWLockExclusive(&lock_); }
};

struct Condition {
  CONDITION_VARIABLE condition = CONDITION_VARIABLE_INIT;
  void wait(Mutex& mutex) { SleepConditionVariableSRW(&condition, &mutex.lock_, INFINITE, 0); }
  void wake_one() { WakeConditionVariable(&condition); }
};

template <void (*f)()>
bool start_thread() {
  const auto run = [](void*) -> DWORD {
    f();
    return 0;
  };
  const HANDLE thread = CreateThread(nullptr, 0, run, nullptr, 0, nullptr);
  if (thread) CloseHandle(thread);
  return thread;
}

uintptr_t this_thread() { return GetCurrentThreadId(); }
void* allocate(size_t bytes) { return _aligned_malloc(bytes, 64); }
void release(void* memory) { _aligned_free(memory); }

#else

struct Mutex {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  void lock() { pthread_mutex_lock(&mutex); }
  void unlock() { pthread_mutex_unlock(&mutex); }
};

struct Condition {
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  void wait(Mutex& mutex) { pthread_cond_wait(&condition, &mutex.mutex); }
  void wake_one() { pthread_cond_signal(&condition); }
};

// Signals are for the threads that were there before.
template <void (*f)()>
bool start_thread() {
  const auto run = [](void*) -> void* {
    f();
    return nullptr;
  };
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const bool started = pthread_create(&thread, nullptr, run, nullptr) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (started) pthread_detach(thread);
  return started;
}

uintptr_t this_thread() { return reinterpret_cast<uintptr_t>(pthread_self()); }
void* allocate(size_t bytes) { return aligned_alloc(64, bytes); }
void release(void* memory) { free(memory); }

#endif

// Blocks that were given back, kept for the next call: fresh pages cost more than the arithmetic. A
// thread gets its own if it can, which its cache may still hold.
struct Memory {
  static constexpr int PLACES = 32;
  static constexpr size_t KEPT = 32 << 20;  // bytes in all
  Mutex mutex;
  void* block[PLACES] = {};
  size_t bytes[PLACES] = {}, kept = 0;
  uintptr_t owner[PLACES] = {};
  int next = 0;

  void* take(size_t wanted, size_t* got) {
    const uintptr_t us = this_thread();
    mutex.lock();
    int best = -1;
    for (int i = 0; i < PLACES; ++i)
      if (block[i] && bytes[i] >= wanted && bytes[i] <= 2 * wanted) {
        const bool ours = owner[i] == us, theirs = best < 0 || owner[best] != us;
        if (best < 0 || (ours == theirs ? ours : bytes[i] < bytes[best])) best = i;
      }
    void* found = nullptr;
    if (best >= 0) {
      found = block[best];
      *got = bytes[best];
      kept -= bytes[best];
      block[best] = nullptr;
    }
    mutex.unlock();
    if (found) return found;
    *got = wanted;
    return allocate(wanted);  // null where there is none left
  }

  void give(void* memory, size_t size) {
    const uintptr_t us = this_thread();
    mutex.lock();
    // The oldest make room: places are filled in turn.
    for (int tries = 0; tries < PLACES && size <= KEPT; ++tries, next = (next + 1) % PLACES) {
      if (block[next]) {
        if (kept + size <= KEPT && tries + 1 < PLACES) continue;
        release(block[next]);
        kept -= bytes[next];
        block[next] = nullptr;
      }
      if (kept + size > KEPT) continue;
      block[next] = memory;
      bytes[next] = size;
      owner[next] = us;
      kept += size;
      memory = nullptr;
      next = (next + 1) % PLACES;
      break;
    }
    mutex.unlock();
    release(memory);
  }
};

Memory memory;

}  // namespace

extern "C" void* kan_take(size_t wanted, size_t* got) { return memory.take(wanted, got); }
extern "C" void kan_give(void* block, size_t bytes) { memory.give(block, bytes); }

namespace {

// Each thread begins with a range of its own, the same one in each call: what lies in its cache since
// the last is the same part of the batch. Who has done with it goes on with those of others.
struct Work {
  static constexpr int64_t MOST = 64;
  struct alignas(64) Range {
    int64_t next, end;
  };

  void (*run)(void*, kan_share&);
  void* given;
  int64_t ranges;
  int64_t places, active;  // threads that may still come, and that are at work beside the caller
  Range range[MOST];

  Work(int64_t count, int64_t threads, void (*run)(void*, kan_share&), void* given)
      : run(run), given(given), places((count < threads ? count : threads) - 1), active(0) {
    ranges = places < 0 ? 0 : places < MOST ? places + 1 : MOST;
    for (int64_t i = 0; i < ranges; ++i) range[i] = {count * i / ranges, count * (i + 1) / ranges};
  }

  bool any_left() const {
    for (int64_t i = 0; i < ranges; ++i)
      if (__atomic_load_n(&range[i].next, __ATOMIC_RELAXED) < range[i].end) return true;
    return false;
  }

  void take_part(int64_t number);
};

}  // namespace

// What a thread knows of the work: whose range it takes from.
struct kan_share {
  Work& work;
  int64_t at;
};

void Work::take_part(int64_t number) {
  kan_share share = {*this, ranges ? number % ranges : 0};
  run(given, share);
}

extern "C" bool kan_next(kan_share& share, int64_t* piece) {
  for (int64_t i = 0; i < share.work.ranges; ++i, share.at = (share.at + 1) % share.work.ranges) {
    Work::Range& range = share.work.range[share.at];
    *piece = __atomic_fetch_add(&range.next, 1, __ATOMIC_RELAXED);
    if (*piece < range.end) return true;
  }
  return false;
}

namespace {

void help_team();

// One for all callers.
struct Team {
  Mutex mutex;
  Condition called, done;
  Work* work = nullptr;  // what there is to do
  int64_t threads = 0;         // beside those that call

  // False if they work for another caller, who is not waited for.
  bool begin(Work& ours) {
    mutex.lock();
    const bool free = !work;
    if (free) {
      while (threads < ours.places && start_thread<help_team>()) ++threads;
      work = &ours;
      wake();
    }
    mutex.unlock();
    return free;
  }

  void end(Work& ours) {
    mutex.lock();
    ours.places = 0;
    while (ours.active) done.wait(mutex);
    work = nullptr;
    mutex.unlock();
  }

  void help() {
    mutex.lock();
    for (;;) {
      while (!work || !work->places || !work->any_left()) called.wait(mutex);
      Work& theirs = *work;
      const int64_t number = theirs.places--;
      ++theirs.active;
      wake();
      mutex.unlock();
      theirs.take_part(number);
      mutex.lock();
      if (!--theirs.active) done.wake_one();
    }
  }

  // Whoever comes wakes two more: a hundred are there soon.
  void wake() {
    for (int64_t i = 0; i < 2 && i < work->places; ++i) called.wake_one();
  }
};

Team team;

void help_team() { team.help(); }

#if !defined(_WIN32)
// The threads of GNU OpenMP that torch has loaded, if it has. For some milliseconds after each of
// torch's operations they spin, on the cores that ours would need: so they do the work. But a region
// of theirs ends when all have come, and on a machine with other work one may come when all is
// done. Where waiting for these takes more than a fifth of the time, the team takes over for a while.
struct Borrowed {
  static constexpr int64_t WHILE = 300000000, RECENT = 50000000;  // nanoseconds

  void (*parallel)(void (*)(void*), void*, unsigned, unsigned) = nullptr;
  int (*number)() = nullptr;     // of the thread that asks
  int64_t until = 0;             // when to try them again
  int64_t taken = 0, waited = 0;  // lately; a number that two callers lose does not matter

  static int64_t now() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * int64_t(1000000000) + t.tv_nsec;
  }

  struct Region {
    Work& work;
    int (*number)();
    int64_t done;  // when the last piece was
  };

  static void take_part(void* given) {
    Region& region = *static_cast<Region*>(given);
    if (!region.work.any_left()) return;
    region.work.take_part(region.number());
    __atomic_store_n(&region.done, now(), __ATOMIC_RELAXED);
  }

  // False if they are not there, or not now.
  bool run(Work& work) {
    if (!parallel) return false;
    const int64_t began = now();
    if (began < __atomic_load_n(&until, __ATOMIC_RELAXED)) return false;
    Region region = {work, number, began};
    parallel(take_part, &region, static_cast<unsigned>(work.places + 1), 0);
    const int64_t ended = now();
    int64_t all = __atomic_load_n(&taken, __ATOMIC_RELAXED) + ended - began;
    int64_t lost = __atomic_load_n(&waited, __ATOMIC_RELAXED) + ended - region.done;
    const bool late = lost > RECENT / 50 && lost > all / 5;
    if (late) __atomic_store_n(&until, ended + WHILE, __ATOMIC_RELAXED);
    if (late || all > RECENT) all /= 2, lost = late ? 0 : lost / 2;
    __atomic_store_n(&taken, all, __ATOMIC_RELAXED);
    __atomic_store_n(&waited, lost, __ATOMIC_RELAXED);
    return true;
  }
};

Borrowed borrowed;
#endif

#if !defined(_WIN32)
// A forked process has one thread; the others were perhaps at work.
void before_fork() {
  team.mutex.lock();
  memory.mutex.lock();
}
void after_fork() {
  memory.mutex.unlock();
  team.mutex.unlock();
}
void forked() {
  team.called = Condition();
  team.done = Condition();
  team.work = nullptr;
  team.threads = 0;
  borrowed.parallel = nullptr;  // whose threads are not there either
  after_fork();
}
const int registered = pthread_atfork(before_fork, after_fork, forked);
#endif

}  // namespace

static int64_t regions = 0, pieces = 0;

// How often threads were called to share work, and how many pieces of work there were, shared or not,
// since the library was loaded.
KAN_PUBLIC int64_t kan_regions() { return __atomic_load_n(&regions, __ATOMIC_RELAXED); }
KAN_PUBLIC int64_t kan_pieces() { return __atomic_load_n(&pieces, __ATOMIC_RELAXED); }

extern "C" void kan_share_out(int64_t count, int64_t threads, void (*run)(void*, kan_share&),
                              void* given) {
  Work work(count, threads, run, given);
  if (work.places > 0) __atomic_fetch_add(&regions, 1, __ATOMIC_RELAXED);
  __atomic_fetch_add(&pieces, count, __ATOMIC_RELAXED);
#if !defined(_WIN32)
  if (work.places > 0 && borrowed.run(work)) return;
#endif
  const bool together = work.places > 0 && team.begin(work);
  work.take_part(0);
  if (together) team.end(work);
}

// Take the threads of this GOMP_parallel, as long as they come at once, by this omp_get_thread_num.
KAN_PUBLIC void kan_borrow(void* parallel, void* number) {
#if !defined(_WIN32)
  borrowed.number = reinterpret_cast<decltype(borrowed.number)>(number);
  borrowed.parallel = reinterpret_cast<decltype(borrowed.parallel)>(parallel);
#endif
}

// Whether this processor, and the system, have the instructions of a level.
KAN_PUBLIC int64_t kan_runs(const char* level) {
  const bool avx2 = !strcmp(level, "avx2"), avx512 = !strcmp(level, "avx512");
  if (!avx2 && !avx512) return true;  // without any of its own
#if defined(__x86_64__)
  unsigned a, b, c, d;
  constexpr unsigned FMA = 1 << 12, OSXSAVE = 1 << 27;
  if (!__get_cpuid(1, &a, &b, &c, &d) || (c & (FMA | OSXSAVE)) != (FMA | OSXSAVE)) return false;
  unsigned saved, upper;  // which registers the system keeps for each thread
  __asm__("xgetbv" : "=a"(saved), "=d"(upper) : "c"(0));
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  constexpr unsigned AVX2 = 1 << 5;
  constexpr unsigned AVX512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;  // F, DQ, BW, VL
  if ((saved & 0x06) != 0x06 || !(b & AVX2)) return false;
  return avx2 || ((saved & 0xe6) == 0xe6 && (b & AVX512) == AVX512);
#else
  return false;
#endif
}
