// The opaque types of mirror.h.
#pragma once

#include "api/guard.h"

namespace mirror {
class Backend;
class Model;
class Extractor;
class Whitening;
class Index;
}  // namespace mirror

struct mirror_device : mirror::Handle<mirror::Backend> {
    using Handle::Handle;
};
struct mirror_model : mirror::Handle<const mirror::Model> {
    using Handle::Handle;
};
struct mirror_extractor : mirror::Handle<mirror::Extractor> {
    using Handle::Handle;
};
struct mirror_whitening : mirror::Handle<const mirror::Whitening> {
    using Handle::Handle;
};
struct mirror_index : mirror::Handle<mirror::Index> {
    using Handle::Handle;
};
