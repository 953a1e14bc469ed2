#pragma once

/*
 * What has been told, by mailbox, and the file that keeps it. Parsing and formatting are pure:
 *
 *   unitpost-notify 1
 *   mailbox /var/mail/alice
 *   0A1B2C3D                  one id of Head for each message
 *   mailbox /home/alice/Maildir/
 *   ...
 *
 * A mailbox that the state does not know is seen for the first time: nothing of it is news. A file
 * that cannot be understood counts as none.
 */

#include "common/base/buf.h"
#include "services/notify/ids.h"

#define STATE_MAILBOXES_MAX 8
#define STATE_PATH_MAX      4095
#define STATE_MAX_BYTES     (1024 * 1024) /* more than the largest state */

typedef struct StateMailbox {
        char *path;
        Ids ids; /* sorted */
} StateMailbox;

typedef struct State {
        size_t n;
        StateMailbox mailboxes[STATE_MAILBOXES_MAX];
} State;

#define STATE_NULL ((State){ 0 })

enum {
        STATE_E_SYNTAX = 1,
        STATE_E_FULL = 2
};

/* Free the memory; the state is as STATE_NULL afterwards. */
void state_deinit(State *state);

/* Read TEXT into an empty state. 0; STATE_E_SYNTAX or -ENOMEM, and the state is empty. */
int state_parse(Str text, State *ret);

/* Append the file's text to a buffer of STATE_MAX_BYTES. 0 or negative errno. */
int state_format(const State *state, Buf *out);

/* The ids of PATH; NULL when it is not known. Borrowed until the next change. */
const Ids *state_find(const State *state, const char *path);

/*
 * Set the ids of PATH to a sorted copy of IDS. 0; STATE_E_FULL (too many mailboxes); STATE_E_SYNTAX
 * (a path that is empty, too long or has a line end); -ENOMEM.
 */
int state_set(State *state, const char *path, const Ids *ids);

/* Forget PATH. */
void state_forget(State *state, const char *path);

/* Overwrite RET with a copy. 0 or -ENOMEM, and RET is empty. */
int state_copy(const State *state, State *ret);

/*
 * The directory of the file, made where it is missing: $STATE_DIRECTORY, else
 * $XDG_STATE_HOME/unitpost, else $HOME/.local/state/unitpost. A descriptor, or negative errno.
 */
int state_directory_open(void);

/*
 * Read the file into BUF (STATE_MAX_BYTES; empty when there is none) and STATE. 0 or negative
 * errno.
 */
int state_load(int directory_fd, Buf *buf, State *ret);

/*
 * Replace the file as a whole, unless its text is OLD already. OLD (STATE_MAX_BYTES) becomes the
 * text of STATE. 0 or negative errno.
 */
int state_save(int directory_fd, const State *state, Buf *old);
