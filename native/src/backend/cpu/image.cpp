// Preprocessing of the original: legacy bilinear resize of TensorFlow 1 (no half-pixel centres, no
// antialiasing), centre crop unless the whole picture is wanted, minus mean. All float32 and in the
// original's order of operations, without fused multiply-add (the build forbids contraction), so
// results are equal bit for bit. Only pixels that survive the crop are computed.
#include <algorithm>
#include <vector>

#include "backend/cpu/cpu_backend.h"
#include "backend/resize.h"

namespace mirror {
namespace {

// One output coordinate as a blend of two input coordinates: value(low) + (value(high) -
// value(low)) * t.
struct Tap {
    int64_t low, high;
    float t;
};

std::vector<Tap> make_taps(int side, int64_t resized, int64_t start, int target) {
    const float scale = static_cast<float>(side) / static_cast<float>(resized);
    std::vector<Tap> taps(target);
    for (int i = 0; i < target; ++i) {
        const float position = static_cast<float>(start + i) * scale;
        // The clamp of `low` acts only beyond 2^24 output pixels, where float32 positions may round
        // past the end.
        const int64_t low = std::min<int64_t>(static_cast<int64_t>(position), side - 1);
        taps[i] = {low, std::min<int64_t>(low + 1, side - 1), position - static_cast<float>(low)};
    }
    return taps;
}

struct Layout {
    int bytes;       // per pixel
    int channel[3];  // where R, G and B lie
};

Layout layout_of(int32_t format) {
    switch (format) {
        case MIRROR_FORMAT_RGBA8:
            return {4, {0, 1, 2}};
        case MIRROR_FORMAT_BGRA8:
            return {4, {2, 1, 0}};
        case MIRROR_FORMAT_GRAY8:
            return {1, {0, 0, 0}};
        default:
            return {3, {0, 1, 2}};
    }
}

}  // namespace

void CpuBackend::preprocess(
    const mirror_image& image, int height, int width, int32_t fit, const float* mean, float* out) {
    const ThreadScope scope(threads_);
    const Resize resize = resize_geometry(image.height, image.width, height, width, fit);
    const std::vector<Tap> rows = make_taps(image.height, resize.height, resize.top, height);
    const Layout layout = layout_of(image.format);
    std::vector<Tap> columns = make_taps(image.width, resize.width, resize.left, width);
    for (Tap& tap : columns) {
        tap.low *= layout.bytes;
        tap.high *= layout.bytes;
    }
#pragma omp parallel for schedule(static)
    for (int y = 0; y < height; ++y) {
        const uint8_t* top_row = image.data + rows[y].low * image.stride;
        const uint8_t* bottom_row = image.data + rows[y].high * image.stride;
        float* target = out + static_cast<int64_t>(y) * width * 3;
        for (const Tap& tap : columns) {
            for (int k = 0; k < 3; ++k) {
                const int offset = layout.channel[k];
                const float top_left = top_row[tap.low + offset],
                            top_right = top_row[tap.high + offset];
                const float bottom_left = bottom_row[tap.low + offset];
                const float bottom_right = bottom_row[tap.high + offset];
                const float top = top_left + (top_right - top_left) * tap.t;
                const float bottom = bottom_left + (bottom_right - bottom_left) * tap.t;
                *target++ = top + (bottom - top) * rows[y].t - mean[k];
            }
        }
    }
}

}  // namespace mirror
