// The tool's InitializeInjectionNvtx2 asks for an export table, takes from it the addresses of our
// function pointers and sets those it serves. Layout and numbers: NVTX 3 headers
// (nvtxDetail/nvtxTypes.h), C ABI, stable since 2016.
#include "backend/cuda/nvtx.h"

#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "base/library.h"
#include "base/log.h"

namespace mirror::cuda {
namespace {

using FunctionPointer = void (*)();
constexpr uint32_t kExportCallbacks = 1;  // NVTX_ETID_CALLBACKS
constexpr int kModuleCore = 1;            // NVTX_CB_MODULE_CORE
constexpr unsigned kPushA = 9, kPop = 11, kCoreFunctions = 16;

FunctionPointer served[kCoreFunctions] = {};
FunctionPointer* slots[kCoreFunctions + 1] = {};  // by number; null-terminated

struct CallbackTable {
    size_t struct_size;
    int (*module_functions)(int module, FunctionPointer*** out_table, unsigned* out_size);
};

int module_functions(int module, FunctionPointer*** out_table, unsigned* out_size) {
    if (module != kModuleCore) return 0;
    for (unsigned i = 0; i < kCoreFunctions; ++i) slots[i] = &served[i];
    *out_table = slots;
    if (out_size) *out_size = kCoreFunctions;
    return 1;
}

const void* export_table(uint32_t id) {
    static const CallbackTable table{sizeof table, &module_functions};
    return id == kExportCallbacks ? &table : nullptr;
}

bool attach() {
    const char* path = std::getenv("NVTX_INJECTION64_PATH");
    if (!path || !*path) return false;
    std::string why;
    void* library = open_library(path, why);
    using Initialize = int (*)(const void* (*)(uint32_t));
    const auto initialize =
        library ? reinterpret_cast<Initialize>(library_symbol(library, "InitializeInjectionNvtx2"))
                : nullptr;
    if (!initialize || initialize(&export_table) != 1) {
        log(MIRROR_LOG_WARNING,
            text("profiler ranges are off: ",
                 path,
                 " (NVTX_INJECTION64_PATH) did not attach ",
                 why));
        return false;
    }
    return true;
}

bool attached() {
    static const bool result = attach();
    return result;
}

}  // namespace

NvtxRange::NvtxRange(const char* name) {
    if (attached() && served[kPushA]) reinterpret_cast<int (*)(const char*)>(served[kPushA])(name);
}

NvtxRange::~NvtxRange() {
    if (attached() && served[kPop]) reinterpret_cast<int (*)()>(served[kPop])();
}

}  // namespace mirror::cuda
