// The geometry of a resize: the original's with its centre crop, in float32 as there (720 * (896 /
// 720) rounds up to 897), or of the whole picture. Host arithmetic that every backend shares.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "mirror/mirror.h"

namespace mirror {

struct Resize {
    int64_t height, width;  // of the whole image after resizing
    int64_t top, left;      // of the crop in it
};

// An image of height x width (1..65535). MIRROR_FIT_CROP: its short side is scaled to the target's;
// what is longer is cut off evenly. For a square target this is the original's ratio, size /
// min(height, width). MIRROR_FIT_WHOLE: each side is scaled to its target.
inline Resize resize_geometry(
    int height, int width, int target_height, int target_width, int32_t fit) {
    if (fit == MIRROR_FIT_WHOLE) return {target_height, target_width, 0, 0};
    const float h = static_cast<float>(height), w = static_cast<float>(width);
    const float ratio =
        std::max(static_cast<float>(target_height) / h, static_cast<float>(target_width) / w);
    const auto resized_height = static_cast<int64_t>(std::ceil(h * ratio));
    const auto resized_width = static_cast<int64_t>(std::ceil(w * ratio));
    return {resized_height,
            resized_width,
            (resized_height - target_height) / 2,
            (resized_width - target_width) / 2};
}

}  // namespace mirror
