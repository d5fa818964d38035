# Warnings and sanitizers, carried by one interface target that everything of ours links.
add_library(mirror_options INTERFACE)
if(MSVC)
  target_compile_options(mirror_options INTERFACE /W4 /WX /utf-8)
else()
  # -ffp-contract=off: preprocessing must round like the original, which had no fused multiply-add.
  target_compile_options(mirror_options INTERFACE -Wall -Wextra -Werror -ffp-contract=off)
  # GCC 12 sees overlapping copies in std::string concatenations that are none (GCC bug 105651).
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(mirror_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
  endif()
endif()
if(MIRROR_SANITIZE)
  target_compile_options(mirror_options INTERFACE -fsanitize=${MIRROR_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(mirror_options INTERFACE -fsanitize=${MIRROR_SANITIZE})
endif()
