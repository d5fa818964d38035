# MIRROR_GIT_HASH: what `mirror info` prints. "unknown" outside a git checkout.
find_package(Git QUIET)
set(MIRROR_GIT_HASH "unknown")
if(GIT_FOUND)
  execute_process(
    COMMAND ${GIT_EXECUTABLE} describe --always --dirty --abbrev=12 --exclude=*
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
    OUTPUT_VARIABLE _mirror_git_hash OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE _mirror_git_result ERROR_QUIET)
  if(_mirror_git_result EQUAL 0)
    set(MIRROR_GIT_HASH "${_mirror_git_hash}")
  endif()
endif()
