// Several devices that share the work. Photographs of a chunk and queries of a search are dealt
// out; every device holds all descriptors of a store. Single operations run on the first.
#pragma once

#include "backend/backend.h"

namespace mirror {

// At least two backends of the same kind.
std::shared_ptr<Backend> make_multi_backend(std::vector<std::shared_ptr<Backend>> devices);

}  // namespace mirror
