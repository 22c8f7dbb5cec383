/* main.c: the command line of ropepp-analysis. A command is one entry of the table below. */
#include <argp.h>
#include <stddef.h>

#include "command.h"
#include "program/aside.h"

const char *argp_program_version = "ropepp-analysis " RPP_VERSION;

static const rpp_command commands[] = {
    {"cost", "", "parameters, KV cache, FLOPs and the time of a token by context", rpp_main_cost},
    {"curves", "", "the characteristic curves c_re and c_im by distance", rpp_main_curves},
    {"coverage", "", "what each dimension has seen at a training length", rpp_main_coverage},
    {"layout", "", "which head comes from which query and reads which keys", rpp_main_layout},
    {NULL, NULL, NULL, NULL},
};

int main(int argc, char **argv) {
  rpp_aside_clean_on_signals();
  return rpp_commands_run("ropepp-analysis", "The mathematics of RoPE and RoPE++ as data, and as pictures.\v",
                          "0 done, 2 usage, bad file or an output that cannot be written", commands, argc, argv);
}
