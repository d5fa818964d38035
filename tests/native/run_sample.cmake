# Runs the sample host on the two pictures and checks what it prints: image 0 matches itself with score 1.
if(NOT EXISTS ${MODEL})
  message("SKIP: no model ${MODEL}")
  return()
endif()
execute_process(COMMAND ${SAMPLE} ${MODEL} ${FOLDER}/a.ppm ${FOLDER}/b.ppm ${DEVICE}
  OUTPUT_VARIABLE output ERROR_VARIABLE error RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "mirror_match failed (${result}): ${error}")
endif()
if(NOT output MATCHES "^0 0 (1|1\\.0000[0-9]*|0\\.9999[0-9]*)\n0 1 [0-9.]+\n1 1 ")
  message(FATAL_ERROR "unexpected output: ${output}")
endif()
message("${output}")
