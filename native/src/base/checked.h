// Products of sizes that come from callers or files: overflow is an error, never a wrap.
#pragma once

#include <cstddef>
#include <limits>

#include "base/error.h"

namespace mirror {

// The product of non-negative factors as size_t; INVALID_ARGUMENT naming `what` where one is
// negative or the product times 8 (the widest element) does not fit.
template <class... Factors>
size_t checked_size(const char* what, Factors... factors) {
    constexpr size_t limit = std::numeric_limits<ptrdiff_t>::max() / 8;
    size_t product = 1;
    auto multiply = [&](auto factor) {
        require(factor >= 0, what, " has a negative size ", factor);
        const auto value = static_cast<size_t>(factor);
        require(value == 0 || product <= limit / value, what, " is too large to address");
        product *= value;
    };
    (multiply(factors), ...);
    return product;
}

}  // namespace mirror
