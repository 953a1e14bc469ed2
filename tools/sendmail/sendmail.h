#pragma once

/* sendmail(1): what programs and people send mail with. ARGV as for main(); an exit status. */
int sendmail_main(int argc, char **argv);
