// Every kernel, compiled for the emulated driver.
#include "mirror_kernels.cu"
