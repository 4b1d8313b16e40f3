# `cpack -G DEB` in a build folder with SOTTO_STATIC_LIBRARIES makes sotto-keyserver, sotto and libsotto-dev, which install
# where only the release's own packages are: libsodium and SQLCipher, which Debian 12 has too old, are inside the programs.
set(unit_folder lib/systemd/system)
install(FILES packaging/systemd/sotto-keyserver.service DESTINATION ${unit_folder} COMPONENT keyserver)
install(FILES docs/operating.md threat-model.md DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/sotto-keyserver COMPONENT keyserver)
install(FILES README.md threat-model.md DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/sotto COMPONENT client)
install(FILES docs/protocol.md DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libsotto-dev COMPONENT dev)
foreach(pair keyserver:sotto-keyserver client:sotto dev:libsotto-dev)
  string(REPLACE ":" ";" pair ${pair})
  list(GET pair 0 component)
  list(GET pair 1 package)
  install(FILES packaging/debian/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component})
  # Their licences ask for it where they are inside.
  foreach(library libsodium libsqlcipher)
    if(SOTTO_STATIC_LIBRARIES AND NOT component STREQUAL "dev")
      install(FILES /usr/share/doc/${library}-dev/copyright RENAME copyright.${library}
              DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component} OPTIONAL)
    endif()
  endforeach()
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_COMPONENTS_ALL keyserver client dev)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_NAME sotto)
set(CPACK_PACKAGE_VENDOR Sotto)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each has its own
set(CPACK_PACKAGE_CONTACT "The Sotto developers <sotto@localhost>")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS OFF)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_KEYSERVER_PACKAGE_NAME sotto-keyserver)
set(CPACK_DEBIAN_KEYSERVER_PACKAGE_SECTION net)
set(CPACK_DEBIAN_KEYSERVER_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_KEYSERVER_PACKAGE_DEPENDS "adduser, procps") # its kill reloads the service
set(CPACK_DEBIAN_KEYSERVER_DESCRIPTION
    "key and presence server of Sotto, an end-to-end encrypted messenger
 It keeps public keys, holds sealed messages for those who are away, and learns
 neither what is said nor who says it. One program and one folder; the service
 starts once an administrator has run sotto-keyserver init.")
set(CPACK_DEBIAN_KEYSERVER_PACKAGE_CONTROL_EXTRA
    "${CMAKE_BINARY_DIR}/packaging/postinst" "${CMAKE_BINARY_DIR}/packaging/prerm" "${CMAKE_BINARY_DIR}/packaging/postrm")
foreach(script postinst prerm postrm)
  configure_file(packaging/debian/keyserver.${script} packaging/${script} COPYONLY)
endforeach()

set(CPACK_DEBIAN_CLIENT_PACKAGE_NAME sotto)
set(CPACK_DEBIAN_CLIENT_PACKAGE_SECTION net)
set(CPACK_DEBIAN_CLIENT_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_CLIENT_DESCRIPTION
    "command-line client of Sotto, an end-to-end encrypted messenger
 Messages are sealed by a post-quantum handshake and ratchet, contacts are made
 by links that work once and compared by a number, and everything on disk is
 encrypted under a passphrase.")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME libsotto-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
# What the libraries stand on is linked by whoever uses them. Generated headers fit one minor version of protobuf alone.
string(REGEX MATCH "^([0-9]+)\\.([0-9]+)" protobuf_minor "${Protobuf_VERSION}")
math(EXPR protobuf_next "${CMAKE_MATCH_2} + 1")
set(dev_depends
    "libprotobuf-dev (>= ${protobuf_minor})" "libprotobuf-dev (<< ${CMAKE_MATCH_1}.${protobuf_next})"
    "libsodium-dev (>= 1.0.22)" "libsqlcipher-dev (>= 4.6.1)" "libssl-dev (>= 3.0)" libspdlog-dev libqrencode-dev
    nlohmann-json3-dev libcli11-dev pkg-config)
list(JOIN dev_depends ", " CPACK_DEBIAN_DEV_PACKAGE_DEPENDS)
set(CPACK_DEBIAN_DEV_DESCRIPTION
    "libraries of Sotto, an end-to-end encrypted messenger, for C++
 find_package(sotto) gives sotto::crypto, sotto::storage and sotto::client as
 static libraries. They need libsodium 1.0.22, SQLCipher 4.6.1 and protobuf.")

include(CPack)
