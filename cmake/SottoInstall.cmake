# `cmake --install` puts the programs into bin/, and the libraries with their headers where find_package(sotto) finds them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(sotto_exported crypto storage client) # what another project may link; what these need comes along
set(sotto_programs sotto sotto-keyserver)
set(sotto_component_of_sotto client)
set(sotto_component_of_sotto-keyserver keyserver)
set(sotto_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sotto)

# sotto_close_over(OUT target…): the targets of this project that the given ones link, themselves included.
function(sotto_close_over out)
  set(open ${ARGN})
  set(closed)
  while(open)
    list(POP_FRONT open target)
    if(TARGET ${target})
      get_target_property(aliased ${target} ALIASED_TARGET)
      if(aliased)
        set(target ${aliased})
      endif()
      get_target_property(imported ${target} IMPORTED)
      if(NOT imported AND NOT target IN_LIST closed AND NOT target STREQUAL "sotto_warnings")
        list(APPEND closed ${target})
        foreach(property LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
          get_target_property(linked ${target} ${property})
          if(linked)
            list(APPEND open ${linked})
          endif()
        endforeach()
      endif()
    endif()
  endwhile()
  set(${out} ${closed} PARENT_SCOPE)
endfunction()

list(TRANSFORM sotto_exported PREPEND sotto_ OUTPUT_VARIABLE roots)
sotto_close_over(exported ${roots})
if(NOT exported)
  return()
endif()

install(TARGETS ${exported} EXPORT sotto-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT dev
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
foreach(target IN LISTS exported)
  get_target_property(type ${target} TYPE)
  get_target_property(folders ${target} INTERFACE_INCLUDE_DIRECTORIES)
  if(type STREQUAL "STATIC_LIBRARY" AND folders)
    foreach(folder IN LISTS folders)
      if(folder MATCHES "^\\$<BUILD_INTERFACE:(.*)>$")
        install(DIRECTORY "${CMAKE_MATCH_1}/" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev
                FILES_MATCHING PATTERN "*.hpp" PATTERN "*.pb.h")
      endif()
    endforeach()
  endif()
endforeach()

install(EXPORT sotto-targets NAMESPACE sotto:: DESTINATION ${sotto_package_dir} COMPONENT dev)
configure_package_config_file(cmake/sotto-config.cmake.in ${PROJECT_BINARY_DIR}/sotto-config.cmake
                              INSTALL_DESTINATION ${sotto_package_dir})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/sotto-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/sotto-config.cmake ${PROJECT_BINARY_DIR}/sotto-config-version.cmake
        DESTINATION ${sotto_package_dir} COMPONENT dev)

foreach(program IN LISTS sotto_programs)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ${sotto_component_of_${program}})
  endif()
endforeach()
