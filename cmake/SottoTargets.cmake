# Warning flags for our own code, and short forms for the targets of a module.
add_library(sotto_warnings INTERFACE)
target_compile_options(sotto_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Wcast-align -Woverloaded-virtual -Wnull-dereference -Wformat=2 -Wimplicit-fallthrough
  $<$<BOOL:${SOTTO_WERROR}>:-Werror>
  # GCC 12 takes the alternatives that a variant does not hold for members that somebody reads.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-maybe-uninitialized>
  # Later ones, when they optimise, follow null pointers and endless lengths through Boost.Asio and the standard library
  # that nobody passes there.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_GREATER_EQUAL:$<CXX_COMPILER_VERSION>,13>>:-Wno-null-dereference>
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_GREATER_EQUAL:$<CXX_COMPILER_VERSION>,13>>:-Wno-stringop-overflow>)

# Everything that ThreadSanitizer looks at: the programs of the tests that are marked CONCURRENT.
add_custom_target(sotto_concurrent_tests)

# sotto_library(name [INCLUDE dir] SOURCES … [PUBLIC libs…] [PRIVATE libs…])
# Makes a static library `sotto_<name>` with the alias `sotto::<name>`. INCLUDE is the folder of its public headers.
function(sotto_library name)
  cmake_parse_arguments(A "" "INCLUDE" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(sotto_${name} STATIC ${A_SOURCES})
  add_library(sotto::${name} ALIAS sotto_${name})
  set_target_properties(sotto_${name} PROPERTIES EXPORT_NAME ${name})
  if(A_INCLUDE)
    target_include_directories(sotto_${name} PUBLIC "$<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/${A_INCLUDE}>")
  endif()
  target_link_libraries(sotto_${name} PUBLIC ${A_PUBLIC} PRIVATE ${A_PRIVATE} $<BUILD_INTERFACE:sotto_warnings>)
  target_compile_features(sotto_${name} PUBLIC cxx_std_23)
endfunction()

# sotto_test(name SOURCES … LIBS … [CONCURRENT] [TIMEOUT s]): one GoogleTest program; CONCURRENT ones also run under TSan.
function(sotto_test name)
  cmake_parse_arguments(A "CONCURRENT" "TIMEOUT" "SOURCES;LIBS;DEFINITIONS" ${ARGN})
  find_package(GTest REQUIRED)
  add_executable(${name} ${A_SOURCES})
  target_link_libraries(${name} PRIVATE ${A_LIBS} GTest::gtest GTest::gmock GTest::gtest_main sotto_warnings)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE ${A_DEFINITIONS})
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 120)
  endif()
  set(labels unit)
  if(A_CONCURRENT)
    set(labels concurrent)
    add_dependencies(sotto_concurrent_tests ${name})
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${A_TIMEOUT} LABELS ${labels})
endfunction()
