# Writes FOLDER/a.ppm and FOLDER/b.ppm, two binary 64 x 48 pictures. CMake writes text only, so the pixels are printable
# characters: a picture all the same.
set(header "P6\n64 48\n255\n")
foreach(name a b)
  set(pixels "")
  foreach(row RANGE 1 96)
    string(RANDOM LENGTH 96 RANDOM_SEED ${row} ALPHABET "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,-" line)
    string(APPEND pixels "${line}")
  endforeach()
  if(name STREQUAL "b")
    string(REPLACE "a" "z" pixels "${pixels}")
  endif()
  file(WRITE ${FOLDER}/${name}.ppm "${header}${pixels}")
endforeach()
