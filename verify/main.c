/* main.c: the command line of ropepp-verify. A command is one entry of the table below. */
#include <argp.h>
#include <stddef.h>
#include <string.h>

#include "base/binding.h"
#include "command.h"
#include "kernels/blas_core.h"

const char *argp_program_version = "ropepp-verify " RPP_VERSION;

static const rpp_command commands[] = {
    {"identities", "", "every identity, its largest deviation, its bound", rpp_main_identities},
    {"kernels", "[KERNEL...]", "the kernels of this build, their contracts and where they run", rpp_main_kernels},
    {"fuzz", "[KERNEL...]", "hold kernels against the truth on random cases", rpp_main_fuzz},
    {"exec", "CMD {in} {out}", "hold any program against the truth on random cases", rpp_main_exec},
    {"selftest", "", "every planted bug must be caught, every clean kernel must pass", rpp_main_selftest},
    {"detection", "", "what other projects' rules would have said of the planted bugs", rpp_main_detection},
    {"replay", "[KERNEL...] SPEC", "one case again, from the line a failure printed", rpp_main_replay},
    {"bench", "[KERNEL...]", "time kernels, beside what the machine can do at most", rpp_main_bench},
    {"merge", "REPORT...", "join the JSON reports of the shards of a fuzz", rpp_main_merge},
    {"gen", "SPEC -o FILE", "write a case file without answers", rpp_main_gen},
    {"cases", "", "what the random cases of a fuzz cover", rpp_main_cases},
    {"check", "CASE [ANSWER]", "judge an answer to a case, or the expected tensors that it carries", rpp_main_check},
    {"truth", "CASE...", "identities and cases, in one table with a verdict", rpp_main_truth},
    {"errata", "", "the numbers that show the errors in the paper's formulas", rpp_main_errata},
    {NULL, NULL, NULL, NULL},
};

int main(int argc, char **argv) {
  rpp_binding_undo();
  rpp_blas_restart(argv, argc < 2 || strcmp(argv[1], "bench") != 0); /* bench has the CPUs to itself */
  return rpp_commands_run(
      "ropepp-verify", "Verifies RoPE and RoPE++ attention against a float64 reference.\v",
      "0 pass, 1 mismatch, or nothing checked, 2 usage or bad file, 3 a kernel crashed, hung or wrote outside, 130 "
      "interrupted",
      commands, argc, argv);
}
