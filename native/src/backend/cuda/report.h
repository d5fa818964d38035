// What mirror_system_info says about CUDA, as JSON fragments.
#pragma once

#include <string>

namespace mirror::cuda {

// {"name":"CUDA driver","version":"12.4" or null,"detail":the library, or why there is none}
std::string driver_json();
// [{"device":"cuda:0","name":...,"compute_capability":"9.0","multiprocessors":132,"memory_bytes":...},
// ...]
std::string gpus_json();
// What runs on each architecture of this build, and "images": what of the kernels is in this
// library.
// [{"sm":80,...}, ...], see choices_json.
std::string kernels_json();
std::string images_json();

}  // namespace mirror::cuda
