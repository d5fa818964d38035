/* mirror.h must be plain C11 and the built library must speak the same ABI. Compiled with -pedantic -Werror. */
#include <stdio.h>

#include "mirror/mirror.h"

int main(void) {
    mirror_device* device = NULL;
    if (mirror_abi_version() != MIRROR_ABI_VERSION) {
        fprintf(stderr, "library has ABI %u, header %u\n", mirror_abi_version(), MIRROR_ABI_VERSION);
        return 1;
    }
    if (mirror_device_create(&device, "cpu", 1) != MIRROR_OK) {
        fprintf(stderr, "%s\n", mirror_last_error());
        return 1;
    }
    mirror_device_destroy(device);
    printf("libmirror %s, ABI %u\n", mirror_version(), mirror_abi_version());
    return mirror_live_objects() == 0 ? 0 : 1;
}
