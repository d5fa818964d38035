// Version, errors, log, live objects: the part of the ABI that belongs to no object.
#include <string>

#include "api/guard.h"
#include "base/log.h"

namespace mirror {
namespace {

thread_local std::string last_error;

}  // namespace

mirror_status set_error(mirror_status status, const char* message) noexcept {
    try {
        last_error = message;
        // One line, whatever a library put into its exception.
        for (char& c : last_error)
            if (c == '\n' || c == '\r') c = ' ';
    } catch (const std::bad_alloc&) {
        last_error.clear();  // never allocates; the status still tells
    }
    return status;
}

// Here, because only this file is compiled anew when the hash changes.
const char* git_hash() {
    return MIRROR_GIT_HASH;
}

}  // namespace mirror

extern "C" {

uint32_t mirror_abi_version(void) {
    return MIRROR_ABI_VERSION;
}

const char* mirror_version(void) {
    return MIRROR_VERSION_STRING;
}

const char* mirror_last_error(void) {
    return mirror::last_error.c_str();
}

int64_t mirror_live_objects(void) {
    return mirror::live_objects.load();
}

void mirror_set_log(mirror_log_fn callback, void* user_data) {
    mirror::set_log(callback, user_data);
}

}  // extern "C"
