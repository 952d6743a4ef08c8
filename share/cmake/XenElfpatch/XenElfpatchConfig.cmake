# Xen notes as a post-link step, for CMake:
#
#   find_package(XenElfpatch REQUIRED)
#   add_executable(kernel …)
#   xen_elfpatch(kernel OUTPUT kernel.xen ARGS --preset pvh)
#
# INPUT is a target, or the name of a file. The result is made anew when the input, the arguments or a file that they name has
# changed, and is what the target INPUT_xen (ALL) stands for; TARGET says another name. Without OUTPUT: the input's name and
# .xen. Without ARGS: --preset pvh. DEPENDS names what else it is made from.
cmake_minimum_required(VERSION 3.20)

find_program(XEN_ELFPATCH_PROGRAM xen-elfpatch HINTS "${CMAKE_CURRENT_LIST_DIR}/../../../bin")
if(NOT XEN_ELFPATCH_PROGRAM)
  set(XenElfpatch_FOUND FALSE)
  set(XenElfpatch_NOT_FOUND_MESSAGE "xen-elfpatch is not on the PATH; XEN_ELFPATCH_PROGRAM may name it")
  return()
endif()

function(xen_elfpatch input)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "OUTPUT;TARGET" "ARGS;DEPENDS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "xen_elfpatch(${input}): unknown ${arg_UNPARSED_ARGUMENTS}, wanted OUTPUT, TARGET, ARGS or DEPENDS")
  endif()
  if(NOT arg_ARGS)
    set(arg_ARGS --preset pvh)
  endif()
  get_filename_component(name "${input}" NAME)
  if(NOT arg_OUTPUT)
    set(arg_OUTPUT "${name}.xen")
  endif()
  if(NOT arg_TARGET)
    string(MAKE_C_IDENTIFIER "${name}_xen" arg_TARGET)
  endif()
  get_filename_component(output "${arg_OUTPUT}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_BINARY_DIR}")
  if(TARGET ${input})
    set(image "$<TARGET_FILE:${input}>")
    set(dependency ${input})
  else()
    get_filename_component(image "${input}" ABSOLUTE)
    set(dependency "${image}")
  endif()
  add_custom_command(
    OUTPUT "${output}"
    COMMAND "${XEN_ELFPATCH_PROGRAM}" patch "${image}" ${arg_ARGS} -o "${output}" --depfile "${output}.d"
    DEPENDS ${dependency} "${image}" ${arg_DEPENDS}
    DEPFILE "${output}.d"
    COMMENT "Xen notes for ${name}"
    VERBATIM)
  add_custom_target(${arg_TARGET} ALL DEPENDS "${output}")
endfunction()
