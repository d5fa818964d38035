// One convolution for the emulated conv2d kernels: shape, operands in pitched memory, reference in double.
#pragma once

#include <type_traits>

#include "kernel_fixture.h"

namespace test {

enum class Residual { none, separate, in_place };

struct Conv2dCase {
    int n, h, w, c, k, r, s;
    int stride_h, stride_w, pad_top, pad_left, p, q;
    Residual residual = Residual::none;
    bool relu = false;
    int x_pitch = 0;  // 0: c + two vectors, with the operand's channels behind one of NaN
};

// Operands between NaN: unused channels on both sides of x's and y's, guard zones around every buffer.
template <class T>
class Conv2dProblem {
  public:
    static constexpr int kVec = 16 / sizeof(T);

    explicit Conv2dProblem(const Conv2dCase& g)
        : g_(g),
          x_pitch_(g.x_pitch ? g.x_pitch : g.c + 2 * kVec),
          y_pitch_(g.k + 2 * kVec),
          x_(narrow<T>(Rng(1).floats(elements(x_pitch_) + (g.c > x_pitch_ ? g.c - x_pitch_ : 0)))),
          weights_(narrow<T>(Rng(2).floats(static_cast<size_t>(g.k) * g.r * g.s * g.c))),
          bias_(Rng(3).floats(static_cast<size_t>(g.k))),
          residual_(outputs()),
          y_(outputs()) {
        x_offset_ = g.x_pitch ? 0 : kVec;
        if (!g.x_pitch)
            for (size_t i = 0; i < x_.size(); ++i) {
                const int channel = static_cast<int>(i % x_pitch_);
                if (channel < kVec || channel >= kVec + g.c) x_[i] = narrow<T>(NAN);
            }
        Rng rng(4);
        for (size_t i = 0; i < residual_.size(); ++i)
            if (channel_used(i)) residual_[i] = narrow<T>(static_cast<float>(rng.uniform(-4, 4)));
        compute_reference();
    }

    Conv2dParams params() {
        Conv2dParams p = {};
        p.x = x_.data() + x_offset_, p.weights = weights_.data(), p.bias = bias_.data();
        p.y = y_.data() + kVec;
        p.residual = g_.residual == Residual::none ? nullptr
                     : g_.residual == Residual::separate ? residual_.data() + kVec : y_.data() + kVec;
        p.n = g_.n, p.h = g_.h, p.w = g_.w, p.c = g_.c, p.x_pitch = x_pitch_;
        p.k = g_.k, p.r = g_.r, p.s = g_.s, p.p = g_.p, p.q = g_.q, p.y_pitch = y_pitch_;
        p.stride_h = g_.stride_h, p.stride_w = g_.stride_w, p.pad_top = g_.pad_top, p.pad_left = g_.pad_left;
        p.relu = g_.relu;
        return p;
    }

    void reset() {
        if (g_.residual == Residual::in_place)
            std::copy(residual_.data(), residual_.data() + residual_.size(), y_.data());
        else
            y_.reset();
    }

    // One rounding to T, and float sums: their errors behave like a random walk, some u times the sum of the products'
    // magnitudes for the sizes here; eight times that is allowed.
    void check() const {
        y_.check();
        for (size_t i = 0; i < y_.size(); ++i) {
            if (!channel_used(i)) {
                CHECK(y_.untouched(i, i + 1));
                continue;
            }
            const double rounding = sizeof(T) == 4 ? 0 : unit_roundoff<T> * std::abs(want_[i]);
            CHECK_NEAR(widen(y_[i]), want_[i], 1.01 * rounding + 8 * unit_roundoff<float> * magnitude_[i] + 1e-7);
        }
    }
    // Largest error relative to the largest output.
    double error() const {
        double worst = 0, largest = 0;
        for (size_t i = 0; i < y_.size(); ++i)
            if (channel_used(i)) {
                worst = std::max(worst, std::abs(widen(y_[i]) - want_[i]));
                largest = std::max(largest, std::abs(want_[i]));
            }
        return worst / largest;
    }
    std::vector<float> result() const { return y_.values(); }

  private:
    size_t elements(int pitch) const { return static_cast<size_t>(g_.n) * g_.h * g_.w * pitch; }
    size_t outputs() const { return static_cast<size_t>(g_.n) * g_.p * g_.q * y_pitch_; }
    bool channel_used(size_t i) const {
        const int channel = static_cast<int>(i % y_pitch_);
        return channel >= kVec && channel < kVec + g_.k;
    }

    void compute_reference() {
        want_.assign(outputs(), 0), magnitude_.assign(outputs(), 0);
        for (size_t i = 0; i < outputs(); ++i) {
            if (!channel_used(i)) continue;
            const int filter = static_cast<int>(i % y_pitch_) - kVec, pixel = static_cast<int>(i / y_pitch_);
            const int image = pixel / (g_.p * g_.q), oy = pixel / g_.q % g_.p, ox = pixel % g_.q;
            double sum = bias_[filter], magnitude = std::abs(sum);
            for (int a = 0; a < g_.r; ++a)
                for (int b = 0; b < g_.s; ++b) {
                    const int y = oy * g_.stride_h - g_.pad_top + a, x = ox * g_.stride_w - g_.pad_left + b;
                    if (y < 0 || y >= g_.h || x < 0 || x >= g_.w) continue;
                    const size_t at = ((static_cast<size_t>(image) * g_.h + y) * g_.w + x) * x_pitch_ + x_offset_;
                    const size_t tap = ((static_cast<size_t>(filter) * g_.r + a) * g_.s + b) * g_.c;
                    for (int c = 0; c < g_.c; ++c) {
                        const double product = static_cast<double>(widen(x_[at + c])) * widen(weights_[tap + c]);
                        sum += product, magnitude += std::abs(product);
                    }
                }
            if (g_.residual != Residual::none)
                sum += widen(residual_[i]), magnitude += std::abs(widen(residual_[i]));
            want_[i] = g_.relu && sum < 0 ? 0 : sum, magnitude_[i] = magnitude;
        }
    }

    Conv2dCase g_;
    int x_pitch_, y_pitch_, x_offset_ = 0;
    DeviceMemory<T> x_, weights_;
    DeviceMemory<float> bias_;
    DeviceMemory<T> residual_, y_;
    std::vector<double> want_, magnitude_;
};

// Conv2dParams::overflow: `launch(params, schedule)` runs a kernel on T; its tiles of 64 or 128 pixels are ragged here.
// The bias alone does not fit f16, so rows behind the last pixel hold infinity; the residual brings every result back
// into range except a planted one.
template <class T, class Launch>
void check_overflow(Launch&& launch) {
    constexpr int kPixels = 132, kFilters = 72, kChannels = 8;
    constexpr bool kWatched = std::is_same_v<T, f16>;
    constexpr float kBias = kWatched ? 70000 : 3e38f, kBack = -kBias / 4, kBeyond = kBias / 2;
    struct Plant {
        int pixel, filter;
    };
    const Plant plants[] = {{0, 0}, {70, 33}, {127, 64}, {128, 7}, {131, 0}, {131, 71}};
    const DeviceMemory<T> x(narrow<T>(Rng(5).floats(kPixels * kChannels)));
    const DeviceMemory<T> weights(narrow<T>(Rng(6).floats(kFilters * kChannels)));
    DeviceMemory<float> bias(kFilters);
    DeviceMemory<T> residual(kPixels * kFilters), y(kPixels * kFilters);
    DeviceMemory<u32> flag(1);
    Conv2dParams p = {};
    p.x = x.data(), p.weights = weights.data(), p.bias = bias.data(), p.residual = residual.data(), p.y = y.data();
    p.n = p.h = p.p = 1, p.w = p.q = kPixels, p.c = p.x_pitch = kChannels, p.k = p.y_pitch = kFilters, p.r = p.s = 1;
    p.stride_h = p.stride_w = 1;
    const auto fill = [&](float sign) {
        for (int k = 0; k < kFilters; ++k) bias[k] = sign * kBias;
        for (size_t i = 0; i < residual.size(); ++i) residual[i] = narrow<T>(sign * kBack);
    };
    const auto raised = [&](const simt::Options& schedule) {
        flag[0] = 0, p.overflow = flag.data();
        launch(p, schedule);
        flag.check();
        CHECK(flag[0] <= 1);
        return flag[0] == 1;
    };
    for (const simt::Options& schedule : schedules()) {
        fill(1);
        CHECK(!raised(schedule));
        for (const Plant& plant : plants) {
            T& cell = residual[static_cast<size_t>(plant.pixel * kFilters + plant.filter)];
            cell = narrow<T>(kBeyond);
            CHECK_EQ(raised(schedule), kWatched);
            CHECK(std::isinf(widen(y[static_cast<size_t>(plant.pixel * kFilters + plant.filter)])));
            cell = narrow<T>(NAN);
            CHECK_EQ(raised(schedule), kWatched);
            cell = narrow<T>(kBack);
        }
        fill(-1);
        residual[kFilters] = narrow<T>(-kBeyond);
        CHECK_EQ(raised(schedule), kWatched);
        p.overflow = nullptr;
        launch(p, schedule);
        CHECK(std::isinf(widen(y[kFilters])));
        p.relu = 1;  // 0 fits, NaN does not become 0
        CHECK(!raised(schedule));
        residual[kFilters] = narrow<T>(NAN);
        CHECK_EQ(raised(schedule), kWatched);
        p.relu = 0;
    }
}

}  // namespace test
