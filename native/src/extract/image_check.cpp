// See image_check.h.
#include "extract/image_check.h"

#include "base/error.h"

namespace mirror {

void check_image(const mirror_image& image, const std::string& name) {
    constexpr int max_side = 65535;
    require(image.data != nullptr, name, ".data is NULL");
    require(image.width >= 1 && image.width <= max_side,
            name,
            ".width is ",
            image.width,
            ", expected 1 to ",
            max_side);
    require(image.height >= 1 && image.height <= max_side,
            name,
            ".height is ",
            image.height,
            ", expected 1 to ",
            max_side);
    require(image.format >= MIRROR_FORMAT_RGB8 && image.format <= MIRROR_FORMAT_GRAY8,
            name,
            ".format is ",
            image.format,
            ", expected MIRROR_FORMAT_RGB8 (0) to MIRROR_FORMAT_GRAY8 (3)");
    const int pixel = image.format == MIRROR_FORMAT_GRAY8  ? 1
                      : image.format == MIRROR_FORMAT_RGB8 ? 3
                                                           : 4;
    const int64_t row = static_cast<int64_t>(image.width) * pixel;
    require(image.stride >= row,
            name,
            ".stride is ",
            image.stride,
            " bytes, expected at least ",
            row,
            " (",
            image.width,
            " pixels of ",
            pixel,
            " bytes)");
    require(image.stride <= INT64_MAX / image.height,
            name,
            ".stride is ",
            image.stride,
            " bytes, too large to address");
    require(image.reserved == 0, name, ".reserved is ", image.reserved, ", expected 0");
}

}  // namespace mirror
