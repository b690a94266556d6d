// Bases whose functions are nowhere zero. Each is made for LANES inputs, and then gives one function
// after the other: `next` returns its value, or with SLOPES its derivative. float32; a NaN gives NaN.
#pragma once

#include "vectors.h"

namespace {

typedef Vector<LANES>::type V;
typedef Vector<LANES>::integers I;

// The functions are those of (x - shift) * factor.
struct Scale {
  int64_t functions;
  double shift, factor;
};

V load(const float* from) { return *reinterpret_cast<const V*>(from); }

// Double, where (x - shift) * factor would be the largest error of all.
V scaled(const Scale& d, const float* x) {
  float u[LANES];
  for (int lane = 0; lane < LANES; ++lane)
    u[lane] = static_cast<float>((static_cast<double>(x[lane]) - d.shift) * d.factor);
  return load(u);
}

// exp(-(u - b)^2), with the first centre as shift and 1 / width as factor.
template <bool SLOPES>
struct Gaussians {
  static constexpr float FAR = 9.3f;  // where it is all but 0: exp(-86.5)
  const float slope;
  const V u;
  float b = 0;

  Gaussians(const Scale& d, const float* x)
      : slope(static_cast<float>(-2 * d.factor)), u(scaled(d, x)) {}

  V next() {
    const V zero = {}, distance = u - b++;
    const I far = (distance > FAR) | (distance < -FAR);
    const V held = far ? zero : distance;
    const Exponential e(-held * held);
    const V value = far ? zero : (e.more + 1.0f) * e.power;
    return SLOPES ? value * held * slope : value;
  }
};

// Cosine and sine of n angles, n = 0, 1, ..., by those of sums. The recursion that has no sines,
// cos (n + 1) a = 2 cos a cos n a - cos (n - 1) a, loses digits where the cosine is near 1.
struct Turns {
  V cos_a, sin_a, cos, sin;
  float n;

  void start(float first) {
    n = first;
    cos = n == 0 ? cos_a * 0.0f + 1.0f : cos_a;  // NaN stays
    sin = n == 0 ? sin_a * 0.0f : sin_a;
  }
  void turn() {
    const V along = cos * cos_a - sin * sin_a;
    sin = sin * cos_a + cos * sin_a;
    cos = along;
    ++n;
  }
};

// T_b(tanh u) = cos b a, where cos a = tanh u and sin a = 1 / cosh u, which is -da / du, too.
template <bool SLOPES>
struct Chebyshev : Turns {
  const float factor;

  Chebyshev(const Scale& d, const float* x) : factor(static_cast<float>(d.factor)) {
    const V zero = {}, u = scaled(d, x);
    const V size = u < zero ? -u : u;
    const Exponential e(size > 86.0f ? zero - 86.0f : -size);
    const V power = (e.more + 1.0f) * e.power, square = power * power;  // of exp(-|u|)
    // exp(-2 |u|) - 1, without a sum that would take the digits of a small u.
    const V less = e.power * e.more + (e.power - 1.0f), less_2 = less * (less + 2.0f);
    const V tanh = size < 1.0f ? -less_2 / (less_2 + 2.0f) : 1.0f - 2.0f * square / (square + 1.0f);
    cos_a = u < zero ? -tanh : tanh;
    sin_a = 2.0f * power / (square + 1.0f);
    start(0);
  }

  V next() {
    const V value = SLOPES ? sin * sin_a * (n * factor) : cos;
    turn();
    return value;
  }
};

// 1, cos a, sin a, cos 2 a, ..., sin n a, where a = 2 pi (x - shift) * factor.
template <bool SLOPES>
struct Waves : Turns {
  static constexpr double TURN = 6.283185307179586;
  const float rate;
  bool sines = false;

  Waves(const Scale& d, const float* x)
      : rate(static_cast<float>(TURN * d.factor)) {
    // The fraction of a period, in double, as inputs may be many periods away; of it the number of
    // quarters, and an angle of at most pi / 4.
    constexpr double ROUND = 6755399441055744.0;  // 1.5 * 2^52: with it a sum has no fraction
    float angles[LANES];
    int32_t quarters[LANES];
    for (int lane = 0; lane < LANES; ++lane) {
      const double place = (static_cast<double>(x[lane]) - d.shift) * d.factor;
      const double size = place < 0 ? -place : place;
      const double part = size < 1e15 ? place - ((place + ROUND) - ROUND) : place * 0;
      const double quarter = (4 * part + ROUND) - ROUND;
      quarters[lane] = static_cast<int32_t>(quarter);
      angles[lane] = static_cast<float>((part - quarter / 4) * TURN);
    }
    const V angle = load(angles), square = angle * angle, zero = {};
    const I quarter = *reinterpret_cast<const I*>(quarters);
    V odd = zero + 1.0f / 362880;
    odd = odd * square - 1.0f / 5040;
    odd = odd * square + 1.0f / 120;
    odd = odd * square - 1.0f / 6;
    odd = odd * square * angle + angle;
    V even = zero - 1.0f / 3628800;
    even = even * square + 1.0f / 40320;
    even = even * square - 1.0f / 720;
    even = even * square + 1.0f / 24;
    even = even * square - 0.5f;
    even = even * square + 1.0f;
    const I turned = (quarter & 1) != 0;
    cos_a = turned ? odd : even;
    sin_a = turned ? even : odd;
    cos_a = ((quarter + 1) & 2) != 0 ? -cos_a : cos_a;
    sin_a = (quarter & 2) != 0 ? -sin_a : sin_a;
    start(d.functions % 2 ? 0 : 1);  // with the constant, or without
  }

  V next() {
    const float along = n * rate;
    const V value = SLOPES ? (sines ? cos * along : sin * -along) : sines ? sin : cos;
    sines = !sines && n > 0;
    if (!sines) turn();
    return value;
  }
};

}  // namespace
