// The columns of bases whose functions are nowhere zero, and the gradient of what they come from.
// torch contracts them; its operations would make them in some ten passes over the memory, here it
// is one. float32; a NaN gives NaN, and an infinity what it gives by torch's operations.
//
// A vector holds one function at LANES inputs, the columns of one input are side by side in memory:
// a tile of SOME functions is turned round on the way.
//
// Compiled for one LEVEL, the name of a set of instructions, at a time, with a number in place of
// the ORDER of splines (recipe.py); columns.py calls the two functions at the end. All here is of
// this file alone, as in local.cpp.

#include <string.h>

#include "runtime.h"
#include "vectors.h"

namespace {

constexpr int64_t PIECE = 1024;  // inputs that a thread takes at a time
constexpr int64_t SOME = 16;

typedef Vector<LANES>::type V;
typedef Vector<LANES>::integers I;

// Packed by columns.py. The functions are those of (x - shift) * factor.
struct Job {
  int64_t family, functions, n, base_step, step, threads;
  double shift, factor;
};

V load(const float* from) { return *reinterpret_cast<const V*>(from); }

// Double, where (x - shift) * factor would be the largest error of all.
V scaled(const Job& d, const float* x) {
  float u[LANES];
  for (int lane = 0; lane < LANES; ++lane)
    u[lane] = static_cast<float>((static_cast<double>(x[lane]) - d.shift) * d.factor);
  return load(u);
}

// Each family is made for LANES inputs, and then gives one function after the other: `next`
// returns its value, or with SLOPES its derivative.

// exp(-(u - b)^2), with the first centre as shift and 1 / width as factor.
template <bool SLOPES>
struct Gaussians {
  static constexpr float FAR = 9.3f;  // where it is all but 0: exp(-86.5)
  const float slope;
  const V u;
  float b = 0;

  Gaussians(const Job& d, const float* x)
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

  Chebyshev(const Job& d, const float* x) : factor(static_cast<float>(d.factor)) {
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

// 1, cos a, ..., cos n a, sin a, ..., sin n a, where a = 2 pi (x - shift) * factor.
template <bool SLOPES>
struct Waves : Turns {
  static constexpr double TURN = 6.283185307179586;
  const float last, rate;
  bool sines = false;

  Waves(const Job& d, const float* x)
      : last(static_cast<float>(d.functions / 2)),
        rate(static_cast<float>(TURN * d.factor)) {
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
    if (n > last) start(1), sines = true;
    const float along = n * rate;
    const V value = SLOPES ? (sines ? cos * along : sin * -along) : sines ? sin : cos;
    turn();
    return value;
  }
};

// Call f(first, number of inputs, those inputs in a whole vector) for vectors of inputs.
template <class F>
void each_vector(const Job& d, const float* x, const F& f) {
  const int64_t pieces = (d.n + PIECE - 1) / PIECE;
  share_out(pieces, d.threads, [&](kan_share& share) {
    for (int64_t piece; kan_next(share, &piece);) {
      const int64_t end = piece + 1 < pieces ? (piece + 1) * PIECE : d.n;
      for (int64_t j = piece * PIECE; j < end; j += LANES) {
        float whole[LANES] = {};
        if (end - j >= LANES) {
          f(j, LANES, x + j);
        } else {
          memcpy(whole, x + j, sizeof(float) * (end - j));
          f(j, static_cast<int>(end - j), whole);
        }
      }
    }
  });
}

// Where columns lie: those of an input from `functions` on, and its base, each input `step` or
// `base_step` numbers after the one before it.
template <class T>
struct Columns {
  T *base, *functions;
};

template <template <bool> class Family>
void fill(const Job& d, const float* x, const float* base, Columns<float> to) {
  const int64_t functions = d.functions, step = d.step, base_step = d.base_step;
  each_vector(d, x, [&](int64_t j, int inputs, const float* here) {
    float tile[SOME * LANES];
    if (!base) silu(here, LANES, 0, tile, nullptr);
    const float* first = base ? base + j : tile;
    for (int lane = 0; lane < inputs; ++lane) to.base[(j + lane) * base_step] = first[lane];
    Family<false> family(d, here);
    float* row = to.functions + j * step;
    for (int64_t b = 0; b < functions; b += SOME, row += SOME) {
      const int64_t some = functions - b < SOME ? functions - b : SOME;
      for (int64_t k = 0; k < some; ++k)
        *reinterpret_cast<V*>(tile + k * LANES) = family.next();
      for (int lane = 0; lane < inputs; ++lane)
        for (int64_t k = 0; k < some; ++k) row[lane * step + k] = tile[k * LANES + lane];
    }
  });
}

template <template <bool> class Family>
void gather(const Job& d, const float* x, const float* slope, Columns<const float> grad,
            float* grad_x) {
  const int64_t functions = d.functions, step = d.step, base_step = d.base_step;
  each_vector(d, x, [&](int64_t j, int inputs, const float* here) {
    float tile[SOME * LANES] = {}, slopes[LANES] = {};
    for (int lane = 0; lane < inputs; ++lane) tile[lane] = grad.base[(j + lane) * base_step];
    if (slope)
      memcpy(slopes, slope + j, sizeof(float) * inputs);
    else
      silu(here, LANES, 0, nullptr, slopes);
    V sum = load(slopes) * load(tile);
    Family<true> family(d, here);
    const float* row = grad.functions + j * step;
    for (int64_t b = 0; b < functions; b += SOME, row += SOME) {
      const int64_t some = functions - b < SOME ? functions - b : SOME;
      for (int lane = 0; lane < inputs; ++lane)
        for (int64_t k = 0; k < some; ++k) tile[k * LANES + lane] = row[lane * step + k];
      for (int64_t k = 0; k < some; ++k) sum += family.next() * load(tile + k * LANES);
    }
    memcpy(grad_x + j, &sum, sizeof(float) * inputs);
  });
}

}  // namespace

#define JOINED(name, level, order) name##_##level##_##order
#define NAMED(name, level, order) JOINED(name, level, order)

// Columns of n inputs; without a base it is SiLU.
KAN_PUBLIC int64_t NAMED(kan_forward, LEVEL, ORDER)(const Job* d, const float* x, const float* base,
                                                    float* to_base, float* to) {
  constexpr decltype(&fill<Waves>) OF[] = {fill<Gaussians>, fill<Chebyshev>, fill<Waves>};
  OF[d->family](*d, x, base, {to_base, to});
  return 0;
}

// The gradient of the inputs from that of the columns; without the base's slope it is SiLU's.
KAN_PUBLIC int64_t NAMED(kan_backward, LEVEL,
                         ORDER)(const Job* d, const float* x, const float* slope,
                                const float* grad_base, const float* grad, float* grad_x) {
  constexpr decltype(&gather<Waves>) OF[] = {gather<Gaussians>, gather<Chebyshev>, gather<Waves>};
  OF[d->family](*d, x, slope, {grad_base, grad}, grad_x);
  return 0;
}
