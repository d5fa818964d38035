// Devices: mirror_device_*.
#include "api/handles.h"
#include "backend/backend.h"

extern "C" {

mirror_status mirror_device_create(mirror_device** out, const char* name, int32_t threads) {
    return mirror::guard([&] {
        mirror::checked(out, "out") = nullptr;
        *out = new mirror_device(mirror::make_backend(&mirror::checked(name, "name"), threads));
    });
}

void mirror_cuda_options_init(mirror_cuda_options* options) {
    if (options) *options = {sizeof *options, 0, nullptr, nullptr};
}

mirror_status mirror_device_create_cuda(mirror_device** out, const mirror_cuda_options* options) {
    return mirror::guard([&] {
        mirror::checked(out, "out") = nullptr;
        const mirror_cuda_options& wanted = mirror::checked_struct(options, "options");
        *out = new mirror_device(
            mirror::make_cuda_backend(wanted.ordinal, wanted.context, wanted.stream));
    });
}

void mirror_device_destroy(mirror_device* device) {
    delete device;
}

mirror_status mirror_device_get_info(const mirror_device* device, mirror_device_info* out) {
    return mirror::guard([&] {
        auto& info = mirror::checked_struct(out, "out");
        info = mirror::checked(device, "device").object->info();
    });
}

}  // extern "C"
