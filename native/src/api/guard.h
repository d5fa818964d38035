// What every extern "C" function is wrapped in: exceptions become status codes and a thread-local
// message. Also the handle structs, each a counted shared_ptr, so children keep parents alive.
#pragma once

#include <atomic>
#include <memory>
#include <new>
#include <utility>

#include "base/error.h"

namespace mirror {

mirror_status set_error(mirror_status status, const char* message) noexcept;

template <class F>
mirror_status guard(F&& body) noexcept {
    try {
        body();
        return MIRROR_OK;
    } catch (const Error& e) {
        return set_error(e.status(), e.what());
    } catch (const std::bad_alloc&) {
        return set_error(
            MIRROR_E_OUT_OF_MEMORY,
            "out of host memory: use a smaller image size or batch, or fewer images at once");
    } catch (const std::exception& e) {
        return set_error(MIRROR_E_INTERNAL, e.what());
    } catch (...) {
        return set_error(MIRROR_E_INTERNAL, "unknown exception");
    }
}

inline std::atomic<int64_t> live_objects{0};

// A handle of the ABI: counts itself, holds the object shared.
template <class T>
struct Handle {
    explicit Handle(std::shared_ptr<T> object) : object(std::move(object)) { ++live_objects; }
    ~Handle() { --live_objects; }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    std::shared_ptr<T> object;
};

template <class T>
T& checked(T* pointer, const char* name) {
    require(pointer != nullptr, name, " is NULL");
    require(reinterpret_cast<uintptr_t>(pointer) % alignof(T) == 0,
            name,
            " is ",
            static_cast<const void*>(pointer),
            ", expected a multiple of ",
            alignof(T),
            " bytes");
    return *pointer;
}

// The head of an options or info struct: refuses a struct_size this build does not know.
template <class T>
T& checked_struct(T* pointer, const char* name) {
    T& value = checked(pointer, name);
    require(value.struct_size == sizeof(T),
            name,
            ".struct_size is ",
            value.struct_size,
            ", expected ",
            sizeof(T),
            " (call the _init function, or recompile against this mirror.h)");
    return value;
}

}  // namespace mirror
