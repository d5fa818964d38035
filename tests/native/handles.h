// Handles of the C ABI that destroy themselves, for tests.
#pragma once

#include <memory>

#include "harness.h"

namespace test {

struct Destroy {
    void operator()(mirror_device* device) const { mirror_device_destroy(device); }
    void operator()(mirror_model* model) const { mirror_model_destroy(model); }
    void operator()(mirror_extractor* extractor) const { mirror_extractor_destroy(extractor); }
};
using Device = std::unique_ptr<mirror_device, Destroy>;
using Model = std::unique_ptr<mirror_model, Destroy>;
using Extractor = std::unique_ptr<mirror_extractor, Destroy>;

// Of the kind under test, with all threads.
inline Device make_device() {
    mirror_device* device = nullptr;
    CHECK_OK(mirror_device_create(&device, device_name(), 0));
    return Device(device);
}

}  // namespace test
