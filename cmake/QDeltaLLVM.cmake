# Finds Debian's MLIR 22 and mends what its export files get wrong for a static
# link (docs/Decisions/0002-build-against-debian-llvm.md).
if(NOT CMAKE_PREFIX_PATH)
  find_program(QDELTA_LLVM_CONFIG NAMES llvm-config-22)
  if(QDELTA_LLVM_CONFIG)
    execute_process(COMMAND ${QDELTA_LLVM_CONFIG} --prefix
                    OUTPUT_VARIABLE CMAKE_PREFIX_PATH OUTPUT_STRIP_TRAILING_WHITESPACE)
  endif()
endif()
find_package(MLIR REQUIRED CONFIG)
if(NOT LLVM_VERSION_MAJOR EQUAL 22)
  message(FATAL_ERROR "qdelta needs MLIR 22, but found ${LLVM_PACKAGE_VERSION} in ${MLIR_DIR}")
endif()
message(STATUS "MLIR ${LLVM_PACKAGE_VERSION} in ${MLIR_DIR}")

list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
set(LLVM_RUNTIME_OUTPUT_INTDIR ${CMAKE_BINARY_DIR}/bin)
set(LLVM_LIBRARY_OUTPUT_INTDIR ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(MLIR_BINARY_DIR ${CMAKE_BINARY_DIR})

if(QDELTA_STATIC)
  # Every exported static target names libLLVM.so (some libMLIR.so) among its
  # interface libraries, which would silently make the link dynamic.
  set(LLVM_LINK_LLVM_DYLIB OFF)
  foreach(t ${MLIR_EXPORTED_TARGETS})
    if(NOT TARGET ${t})
      continue()
    endif()
    get_target_property(type ${t} TYPE)
    get_target_property(libs ${t} INTERFACE_LINK_LIBRARIES)
    if(type STREQUAL "STATIC_LIBRARY" AND libs)
      list(FILTER libs EXCLUDE REGEX "^(.<LINK_ONLY:)?(LLVM|MLIR)>?$")
      set_target_properties(${t} PROPERTIES INTERFACE_LINK_LIBRARIES "${libs}")
    endif()
  endforeach()
endif()

include(TableGen)
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
# LLVM_DEFINITIONS is one string with blanks.
separate_arguments(QDELTA_LLVM_DEFS NATIVE_COMMAND "${LLVM_DEFINITIONS}")
add_definitions(${QDELTA_LLVM_DEFS})
