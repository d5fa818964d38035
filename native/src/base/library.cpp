#include "base/library.h"

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include "base/error.h"
#else
#include <dlfcn.h>
#endif

namespace mirror {

#if defined(_WIN32)
void* open_library(const std::string& path, std::string& why) {
    void* library = LoadLibraryA(path.c_str());
    if (!library) why = text("error ", GetLastError());
    return library;
}
void* library_symbol(void* library, const char* name) {
    return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(library), name));
}
#else
void* open_library(const std::string& path, std::string& why) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char* message = dlerror();
        why = message ? message : "unknown error";
    }
    return library;
}
void* library_symbol(void* library, const char* name) {
    return dlsym(library, name);
}
#endif

}  // namespace mirror
