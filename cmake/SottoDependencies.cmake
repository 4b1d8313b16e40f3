# Every third-party library, found once and given one target name.
# A build-local prefix (scripts/bootstrap fills it where a package conflicts with what a machine has) is searched first.
set(SOTTO_DEPS_PREFIX "${CMAKE_SOURCE_DIR}/build/deps" CACHE PATH "Build-local prefix for what can't be installed")
list(PREPEND CMAKE_PREFIX_PATH "${SOTTO_DEPS_PREFIX}")
set(PKG_CONFIG_USE_CMAKE_PREFIX_PATH ON)

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Protobuf REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)

pkg_check_modules(sodium REQUIRED IMPORTED_TARGET GLOBAL libsodium>=1.0.22)
pkg_check_modules(sqlcipher REQUIRED IMPORTED_TARGET GLOBAL sqlcipher)
pkg_check_modules(qrencode REQUIRED IMPORTED_TARGET GLOBAL libqrencode)
pkg_check_modules(seccomp REQUIRED IMPORTED_TARGET GLOBAL libseccomp)
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET GLOBAL libsystemd)

# Packages carry what the release that they are for has too old.
if(SOTTO_STATIC_LIBRARIES)
  foreach(library sodium sqlcipher)
    find_library(${library}_archive NAMES lib${library}.a HINTS ${${library}_LIBRARY_DIRS} ${${library}_LIBDIR} REQUIRED)
    set_target_properties(PkgConfig::${library} PROPERTIES INTERFACE_LINK_LIBRARIES "${${library}_archive}")
  endforeach()
  set_property(TARGET PkgConfig::sqlcipher APPEND PROPERTY
               INTERFACE_LINK_LIBRARIES OpenSSL::Crypto Threads::Threads ${CMAKE_DL_LIBS} m)
endif()

# Boost is used header-only: Asio and Beast 1.83.
find_path(SOTTO_BOOST_INCLUDE boost/beast/version.hpp REQUIRED)
file(STRINGS "${SOTTO_BOOST_INCLUDE}/boost/version.hpp" _boost_version REGEX "define BOOST_LIB_VERSION ")
if(NOT _boost_version MATCHES "1_83")
  message(FATAL_ERROR "Boost 1.83 headers are needed, but ${SOTTO_BOOST_INCLUDE} has another version: run scripts/bootstrap.")
endif()
add_library(sotto_boost INTERFACE)
set_target_properties(sotto_boost PROPERTIES EXPORT_NAME boost)
target_include_directories(sotto_boost SYSTEM INTERFACE "$<BUILD_INTERFACE:${SOTTO_BOOST_INCLUDE}>")
target_compile_definitions(sotto_boost INTERFACE BOOST_ERROR_CODE_HEADER_ONLY BOOST_ASIO_NO_DEPRECATED
                           BOOST_ASIO_HAS_STD_INVOKE_RESULT)
target_link_libraries(sotto_boost INTERFACE OpenSSL::SSL OpenSSL::Crypto Threads::Threads)

# WebSocket frames. Its package has no pkg-config file.
find_path(SOTTO_WSLAY_INCLUDE wslay/wslay.h REQUIRED)
find_library(SOTTO_WSLAY_LIBRARY wslay REQUIRED)
add_library(sotto_wslay INTERFACE)
target_include_directories(sotto_wslay SYSTEM INTERFACE "$<BUILD_INTERFACE:${SOTTO_WSLAY_INCLUDE}>")
target_link_libraries(sotto_wslay INTERFACE "${SOTTO_WSLAY_LIBRARY}")

# ICE. The headers lie in the build-local prefix (scripts/bootstrap), since libnice-dev wants GTK; the library's own
# package is small. Without it there are no direct sessions, and no program that makes them.
pkg_check_modules(gio REQUIRED IMPORTED_TARGET GLOBAL gio-2.0)
find_path(SOTTO_NICE_INCLUDE nice/agent.h REQUIRED)
find_library(SOTTO_NICE_LIBRARY NAMES libnice.so.10 nice REQUIRED)
add_library(sotto_nice INTERFACE)
target_include_directories(sotto_nice SYSTEM INTERFACE "$<BUILD_INTERFACE:${SOTTO_NICE_INCLUDE}>")
target_link_libraries(sotto_nice INTERFACE "${SOTTO_NICE_LIBRARY}" PkgConfig::gio)
