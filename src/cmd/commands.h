/* commands: the entry point of each subcommand, in a file of its name.
 *
 * Each parses its own options (argv[0] is "gantry NAME"), does its work by calling the rooms, prints, and gives the exit code:
 * 0 done, 1 failed (one line on standard error: what, why, what to do), 2 bad usage. No rule is decided here.
 */
#pragma once
int cmd_up(int argc, char **argv);
int cmd_node(int argc, char **argv);
int cmd_backup(int argc, char **argv);
int cmd_restore(int argc, char **argv);
int cmd_controller(int argc, char **argv);
int cmd_console(int argc, char **argv);
int cmd_progress(int argc, char **argv);
int cmd_convert(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_copy(int argc, char **argv);
int cmd_validation(int argc, char **argv);
int cmd_policy(int argc, char **argv);
int cmd_inventory(int argc, char **argv);
int cmd_probe(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_must_gather(int argc, char **argv);
int cmd_operator(int argc, char **argv);
int cmd_must_gather_api(int argc, char **argv);
