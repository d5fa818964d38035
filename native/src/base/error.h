// Errors of the native core: one exception type that carries a status code, and helpers that put
// the offending values into the text. Nothing here prints, exits or aborts.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

#include "mirror/mirror.h"

namespace mirror {

class Error : public std::runtime_error {
  public:
    Error(mirror_status status, const std::string& message)
        : std::runtime_error(message), status_(status) {}
    mirror_status status() const { return status_; }

  private:
    mirror_status status_;
};

// Concatenates anything streamable: text("dim is ", dim, ", expected > 0").
template <class... Parts>
std::string text(const Parts&... parts) {
    std::ostringstream stream;
    (stream << ... << parts);
    return stream.str();
}

template <class... Parts>
[[noreturn]] void fail(mirror_status status, const Parts&... parts) {
    throw Error(status, text(parts...));
}

// require(dim > 0, "dim is ", dim, ", expected > 0"): INVALID_ARGUMENT unless the condition holds.
template <class... Parts>
void require(bool condition, const Parts&... parts) {
    if (!condition) fail(MIRROR_E_INVALID_ARGUMENT, parts...);
}

}  // namespace mirror
