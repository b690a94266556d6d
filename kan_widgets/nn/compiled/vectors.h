// Vectors of whatever instructions a file is compiled for, and the functions that all bases need.
#pragma once

#include <stdint.h>

namespace {

#if defined(__AVX512F__) || defined(WIDE)
constexpr int LANES = 16;  // floats in a vector
#elif defined(__AVX2__)
constexpr int LANES = 8;
#else
constexpr int LANES = 4;
#endif

template <int L>
struct Vector {
  typedef float type __attribute__((vector_size(4 * L), aligned(4), may_alias));
  typedef int32_t integers __attribute__((vector_size(4 * L), aligned(4), may_alias));
};

// exp(y) as power * (1 + more), for |y| <= 87: 2^m * exp(r) with |r| <= log(2) / 2, exp(r) a Taylor
// polynomial.
struct Exponential {
  typedef Vector<LANES>::type V;
  typedef Vector<LANES>::integers I;
  V power, more;

  explicit Exponential(V y) {
    const V zero = {};
    const V scaled = y * 1.44269504f;  // 1 / log(2)
    const I m = __builtin_convertvector(scaled + (y > zero ? zero + 0.5f : zero - 0.5f), I);
    const V whole = __builtin_convertvector(m, V);
    // log(2) in two parts, the first exact in few bits.
    const V r = (y - whole * 0.693359375f) + whole * 2.12194440e-4f;
    V sum = zero + 1.0f / 5040;
    sum = sum * r + 1.0f / 720;
    sum = sum * r + 1.0f / 120;
    sum = sum * r + 1.0f / 24;
    sum = sum * r + 1.0f / 6;
    sum = sum * r + 0.5f;
    more = sum * r * r + r;
    power = (V)((m + 127) << 23);
  }
};

// The base where none is given: x / (1 + exp(-x)), and its derivative, for n inputs, n rounded up to
// whole vectors; those of the vector j are at j * step.
void silu(const float* x, int64_t n, int64_t step, float* value, float* slope) {
  typedef Vector<LANES>::type V;
  const V zero = {};
  for (int64_t j = 0, at = 0; j < n; j += LANES, at += step) {
    const V u = *reinterpret_cast<const V*>(x + j);
    V y = u > -87.0f ? -u : zero + 87.0f;
    y = y > -87.0f ? y : zero - 87.0f;
    const Exponential e(y);
    V gate = 1.0f / (1.0f + (e.more + 1.0f) * e.power);
    gate = u < -87.0f ? zero : gate;
    if (value) *reinterpret_cast<V*>(value + at) = u * gate;
    if (slope) *reinterpret_cast<V*>(slope + at) = gate * (1.0f + u * (1.0f - gate));
  }
}

}  // namespace
