// The two systems' ways to map a file, behind one class.
#include "base/mapping.h"

#include "base/error.h"

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

#include <filesystem>
#include <memory>
#include <system_error>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#endif

namespace mirror {

#if defined(_WIN32)

namespace {

struct HandleCloser {
    void operator()(void* handle) const { CloseHandle(handle); }
};
using UniqueHandle = std::unique_ptr<void, HandleCloser>;

[[noreturn]] void fail_with_last_error(const std::string& path) {
    const DWORD code = GetLastError();
    const bool missing = code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND;
    fail(missing ? MIRROR_E_NOT_FOUND : MIRROR_E_IO,
         path,
         ": ",
         std::system_category().message(static_cast<int>(code)));
}

}  // namespace

FileMapping FileMapping::open(const std::string& path) {
    const std::filesystem::path native(std::u8string(path.begin(), path.end()));
    HANDLE opened = CreateFileW(native.c_str(),
                                GENERIC_READ,
                                FILE_SHARE_READ,
                                nullptr,
                                OPEN_EXISTING,
                                FILE_ATTRIBUTE_NORMAL,
                                nullptr);
    if (opened == INVALID_HANDLE_VALUE) fail_with_last_error(path);
    const UniqueHandle file(opened);
    LARGE_INTEGER size;
    if (!GetFileSizeEx(file.get(), &size)) fail_with_last_error(path);
    if (size.QuadPart == 0) return FileMapping({});
    const UniqueHandle section(
        CreateFileMappingW(file.get(), nullptr, PAGE_READONLY, 0, 0, nullptr));
    if (!section) fail_with_last_error(path);
    const void* view = MapViewOfFile(section.get(), FILE_MAP_READ, 0, 0, 0);
    if (!view) fail_with_last_error(path);
    return FileMapping({static_cast<const std::byte*>(view), static_cast<size_t>(size.QuadPart)});
}

FileMapping::~FileMapping() {
    if (!bytes_.empty()) UnmapViewOfFile(bytes_.data());
}

#else

namespace {

class Descriptor {
  public:
    explicit Descriptor(int value) : value(value) {}
    ~Descriptor() {
        if (value >= 0) close(value);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    const int value;
};

[[noreturn]] void fail_with_errno(const std::string& path) {
    const int code = errno;
    const bool missing = code == ENOENT || code == ENOTDIR;
    fail(missing ? MIRROR_E_NOT_FOUND : MIRROR_E_IO, path, ": ", std::strerror(code));
}

}  // namespace

FileMapping FileMapping::open(const std::string& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.value < 0) fail_with_errno(path);
    struct stat status;
    if (fstat(file.value, &status) != 0) fail_with_errno(path);
    if (!S_ISREG(status.st_mode)) fail(MIRROR_E_IO, path, ": not a regular file");
    if (status.st_size == 0) return FileMapping({});
    const auto size = static_cast<size_t>(status.st_size);
    void* view = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.value, 0);
    if (view == MAP_FAILED) fail_with_errno(path);
    return FileMapping({static_cast<const std::byte*>(view), size});
}

FileMapping::~FileMapping() {
    if (!bytes_.empty()) munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

#endif

}  // namespace mirror
