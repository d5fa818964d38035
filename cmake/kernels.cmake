# Kernel images: the one unity source kernels/mirror_kernels.cu becomes what libmirror embeds and hosts can load.
#   nvcc >= 12.4     one fatbin: cubins for sm_80, 86, 89, 90a, and compute_80 PTX for whatever comes later
#   clang >= 16      PTX for sm_80 and sm_90a, which the driver compiles; needs no CUDA SDK
# CMake's own CUDA language is not used: it demands a working runtime, host linker and headers, and we need none.
#
#   mirror_embed_kernels(TARGET)   links the images into TARGET (see native/src/backend/cuda/images.h)
#   mirror_stage_kernels()         copies them beside the staged library, with mirror_kernels.json; adds the
#                                  target kernel_report. Call it once, after every add_subdirectory.
set(_mirror_cuda_default ON)
if(MSVC)
  set(_mirror_cuda_default OFF) # images are embedded by .incbin, which MSVC's assembler has not
endif()
option(MIRROR_CUDA "Build the CUDA backend" ${_mirror_cuda_default})
option(MIRROR_REQUIRE_NVCC "Fail where nvcc is not found instead of falling back to clang" OFF)
option(MIRROR_KERNEL_WERROR "Warnings of nvcc or clang about kernels are errors" ON)

function(mirror_embed_kernels target)
endfunction()
function(mirror_stage_kernels)
endfunction()
if(NOT MIRROR_CUDA)
  message(STATUS "CUDA kernels: none (MIRROR_CUDA=OFF)")
  return()
endif()

# ---- which compiler ------------------------------------------------------------------------------------------
function(_mirror_is_nvcc result path)
  execute_process(COMMAND ${path} --version OUTPUT_VARIABLE text ERROR_QUIET)
  if(NOT text MATCHES "release ([0-9.]+)" OR CMAKE_MATCH_1 VERSION_LESS 12.4)
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()
function(_mirror_is_clang result path)
  execute_process(COMMAND ${path} --version OUTPUT_VARIABLE text ERROR_QUIET)
  if(text MATCHES "Apple" OR NOT text MATCHES "clang version ([0-9.]+)" OR CMAKE_MATCH_1 VERSION_LESS 16)
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

if(DEFINED ENV{XDG_CACHE_HOME})
  set(_mirror_toolchain "$ENV{XDG_CACHE_HOME}/mirror/cuda-12.4") # what scripts/cuda-toolchain.sh fills
else()
  set(_mirror_toolchain "$ENV{HOME}/.cache/mirror/cuda-12.4")
endif()
find_program(MIRROR_NVCC nvcc
  PATHS ENV CUDA_HOME ENV CUDA_PATH /usr/local/cuda ${_mirror_toolchain} PATH_SUFFIXES bin
  VALIDATOR _mirror_is_nvcc DOC "nvcc 12.4 or later")
find_program(MIRROR_CLANG
  NAMES clang++-19 clang++-20 clang++-21 clang++-18 clang++-17 clang++-16 clang++ clang
  VALIDATOR _mirror_is_clang DOC "clang 16 or later, for PTX where there is no nvcc")
set(MIRROR_CUDA_HOST_COMPILER "${CMAKE_CXX_COMPILER}" CACHE FILEPATH "What nvcc preprocesses with (-ccbin)")

# A compiler that was named, or that an earlier configuration found, may be wrong or gone by now.
foreach(_kind nvcc clang)
  string(TOUPPER MIRROR_${_kind} _variable)
  if(${_variable})
    set(_ok TRUE)
    cmake_language(CALL _mirror_is_${_kind} _ok "${${_variable}}")
    if(NOT _ok)
      message(FATAL_ERROR "${_variable} is ${${_variable}}, which is missing or too old (nvcc >= 12.4, clang >= 16). "
        "Name another with -D${_variable}=PATH, or search again with -U${_variable}.")
    endif()
  endif()
endforeach()
if(MIRROR_REQUIRE_NVCC AND NOT MIRROR_NVCC)
  message(FATAL_ERROR "MIRROR_REQUIRE_NVCC is set, but there is no nvcc >= 12.4 in PATH, CUDA_HOME, CUDA_PATH, "
    "/usr/local/cuda or ${_mirror_toolchain}. Install CUDA, say -DMIRROR_NVCC=PATH, "
    "or fetch a compiler with: ./build.sh setup --cuda-compiler")
endif()
if(NOT MIRROR_NVCC AND NOT MIRROR_CLANG)
  message(FATAL_ERROR "No compiler for the CUDA kernels. Looked for nvcc >= 12.4 in PATH, CUDA_HOME, CUDA_PATH, "
    "/usr/local/cuda and ${_mirror_toolchain}, and for clang >= 16 (clang++-19 ... clang) in PATH. "
    "Install one (Debian: clang-19), fetch nvcc with: ./build.sh setup --cuda-compiler, "
    "or build without CUDA: -DMIRROR_CUDA=OFF")
endif()

# ---- compiling -----------------------------------------------------------------------------------------------
# Contraction is off in both: a * b + c rounds twice unless a kernel says fma, so all builds give the same bits.
set(_mirror_nvcc_flags -std=c++17 -O3 --fmad=false -lineinfo -ccbin ${MIRROR_CUDA_HOST_COMPILER})
set(_mirror_clang_flags -x cuda -std=c++17 --cuda-device-only -nocudainc -nocudalib -O3 -ffp-contract=off
  -Wall -Wextra)
if(MIRROR_KERNEL_WERROR)
  list(APPEND _mirror_nvcc_flags -Werror all-warnings)
  list(APPEND _mirror_clang_flags -Werror)
endif()
# The oldest PTX version that has what the kernels of that architecture use: older drivers can then compile it.
set(_mirror_ptx_version_sm_80 ptx74)
set(_mirror_ptx_version_sm_90a ptx83)

set(_mirror_kernel_folder ${CMAKE_BINARY_DIR}/kernels)
set(_mirror_kernel_unity ${CMAKE_SOURCE_DIR}/kernels/mirror_kernels.cu)
file(MAKE_DIRECTORY ${_mirror_kernel_folder})
file(GLOB_RECURSE _mirror_kernel_sources CONFIGURE_DEPENDS
  ${CMAKE_SOURCE_DIR}/kernels/*.cu ${CMAKE_SOURCE_DIR}/kernels/*.cuh ${CMAKE_SOURCE_DIR}/kernels/*.h
  ${CMAKE_SOURCE_DIR}/kernels/*.inc)

# Parallel lists: what an image is called in the table, and its file. clang before 18 does not know sm_90a.
set(_mirror_image_names "")
set(_mirror_image_files "")
if(MIRROR_NVCC)
  set(_mirror_image_names fatbin)
  set(_mirror_image_files ${_mirror_kernel_folder}/mirror_kernels.fatbin)
  set(_gencode -gencode arch=compute_80,code=[sm_80,compute_80])
  foreach(_arch 86 89 90a)
    list(APPEND _gencode -gencode arch=compute_${_arch},code=sm_${_arch})
  endforeach()
  add_custom_command(OUTPUT ${_mirror_image_files}
    COMMAND ${MIRROR_NVCC} ${_mirror_nvcc_flags} ${_gencode} --threads 0 -fatbin
            -I${CMAKE_SOURCE_DIR}/kernels ${_mirror_kernel_unity} -o ${_mirror_image_files}
    DEPENDS ${_mirror_kernel_sources} VERBATIM
    COMMENT "Compiling kernels with nvcc for sm_80, sm_86, sm_89, sm_90a")
  execute_process(COMMAND ${MIRROR_NVCC} --version OUTPUT_VARIABLE _text)
  string(REGEX MATCH "release ([0-9.]+)" _text "${_text}")
  message(STATUS "CUDA kernels: nvcc ${CMAKE_MATCH_1} (${MIRROR_NVCC}), fatbin for sm_80, sm_86, sm_89, sm_90a")
else()
  execute_process(COMMAND ${MIRROR_CLANG} --version OUTPUT_VARIABLE _text)
  string(REGEX MATCH "clang version ([0-9.]+)" _text "${_text}")
  set(_version ${CMAKE_MATCH_1})
  set(_archs sm_90a sm_80) # the library takes the first image that the driver does
  if(_version VERSION_LESS 18)
    set(_archs sm_80)
  endif()
  foreach(_arch ${_archs})
    set(_file ${_mirror_kernel_folder}/mirror_kernels.${_arch}.ptx)
    list(APPEND _mirror_image_names "ptx ${_arch}")
    list(APPEND _mirror_image_files ${_file})
    add_custom_command(OUTPUT ${_file}
      COMMAND ${MIRROR_CLANG} ${_mirror_clang_flags} --cuda-gpu-arch=${_arch}
              -Xclang -target-feature -Xclang +${_mirror_ptx_version_${_arch}}
              -I${CMAKE_SOURCE_DIR}/kernels -S ${_mirror_kernel_unity} -o ${_file}
      DEPENDS ${_mirror_kernel_sources} VERBATIM
      COMMENT "Compiling kernels with clang to PTX for ${_arch}")
  endforeach()
  list(JOIN _archs ", " _archs)
  message(STATUS "CUDA kernels: clang ${_version} (${MIRROR_CLANG}), PTX for ${_archs}; no nvcc >= 12.4 found")
endif()
add_custom_target(mirror_kernels DEPENDS ${_mirror_image_files})

# What scripts/kernel-report.sh needs to compile the same sources in the same way, as shell assignments.
list(JOIN _mirror_nvcc_flags " " _nvcc_flags)
list(JOIN _mirror_clang_flags " " _clang_flags)
file(CONFIGURE OUTPUT ${_mirror_kernel_folder}/report.conf @ONLY CONTENT [[
nvcc="@MIRROR_NVCC@"
nvcc_flags="@_nvcc_flags@"
clang="@MIRROR_CLANG@"
clang_flags="@_clang_flags@"
ptx_version_sm_80=@_mirror_ptx_version_sm_80@
ptx_version_sm_90a=@_mirror_ptx_version_sm_90a@
]])

# ---- embedding -----------------------------------------------------------------------------------------------
enable_language(ASM)
function(mirror_embed_kernels target)
  set(data "")
  set(table "")
  set(count 0)
  foreach(name file IN ZIP_LISTS _mirror_image_names _mirror_image_files)
    string(APPEND data "    .balign 64\nimage_${count}:\n    .incbin \"${file}\"\n")
    if(name MATCHES "^ptx")
      string(APPEND data "    .byte 0\n") # the driver takes PTX as a C string
    endif()
    string(APPEND data "end_${count}:\nname_${count}:\n    .asciz \"${name}\"\n")
    string(APPEND table "    .quad name_${count}, image_${count}, end_${count} - image_${count}\n")
    math(EXPR count "${count} + 1")
  endforeach()
  set(source ${_mirror_kernel_folder}/images.S)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT [[
// Generated by cmake/kernels.cmake: the kernel images and the table that native/src/backend/cuda/images.h declares.
    .section .rodata
@data@
    .balign 8
    .globl mirror_kernel_image_count
    .hidden mirror_kernel_image_count
mirror_kernel_image_count:
    .quad @count@

    // Holds addresses, so a shared library relocates it at load and makes it read-only afterwards.
    .section .data.rel.ro, "aw"
    .balign 8
    .globl mirror_kernel_images
    .hidden mirror_kernel_images
mirror_kernel_images:
@table@
    .section .note.GNU-stack, "", %progbits
]])
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS "${_mirror_image_files}")
  target_sources(${target} PRIVATE ${source})
  add_dependencies(${target} mirror_kernels)
endfunction()

# ---- beside the library --------------------------------------------------------------------------------------
function(mirror_stage_kernels)
  set(json ${_mirror_kernel_folder}/mirror_kernels.json)
  add_custom_command(OUTPUT ${json} COMMAND mirror_catalogue > ${json} DEPENDS mirror_catalogue VERBATIM
    COMMENT "Writing mirror_kernels.json")
  add_custom_target(kernel_report
    COMMAND ${CMAKE_SOURCE_DIR}/scripts/kernel-report.sh ${CMAKE_BINARY_DIR}
    DEPENDS ${json} ${_mirror_kernel_sources} USES_TERMINAL VERBATIM)
  if(NOT MIRROR_STAGE)
    add_custom_target(mirror_kernels_json ALL DEPENDS ${json})
    return()
  endif()
  set(stage ${CMAKE_SOURCE_DIR}/artifacts/native)
  # Images of the compiler that an earlier configuration took would be stale from now on.
  set(stale ${stage}/mirror_kernels.fatbin ${stage}/mirror_kernels.sm_80.ptx ${stage}/mirror_kernels.sm_90a.ptx)
  set(staged "")
  foreach(file ${_mirror_image_files} ${json})
    cmake_path(GET file FILENAME name)
    list(REMOVE_ITEM stale ${stage}/${name})
    list(APPEND staged ${stage}/${name})
    add_custom_command(OUTPUT ${stage}/${name}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${stage}
      COMMAND ${CMAKE_COMMAND} -E copy ${file} ${stage}/${name}
      DEPENDS ${file} VERBATIM COMMENT "Staging ${name}")
  endforeach()
  file(REMOVE ${stale})
  add_custom_target(mirror_kernels_staged ALL DEPENDS ${staged})
endfunction()
