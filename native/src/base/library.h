// Shared libraries opened at run time.
#pragma once

#include <string>

namespace mirror {

// nullptr, and the operating system's words in `why`, where it cannot be loaded. Never closed.
void* open_library(const std::string& path, std::string& why);
// nullptr where the library has no such symbol.
void* library_symbol(void* library, const char* name);

}  // namespace mirror
