#include "services/notify/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define FIRST_LINE "unitpost-notify 1"

void state_deinit(State *state) {
        for (size_t i = 0; i < state->n; i++) {
                free(state->mailboxes[i].path);
                ids_deinit(&state->mailboxes[i].ids);
        }
        *state = STATE_NULL;
}

static size_t index_of(const State *state, Str path) {
        size_t i = 0;

        while (i < state->n && !str_equal(str_from_cstr(state->mailboxes[i].path), path))
                i++;
        return i;
}

/* A new mailbox at the end, without ids. */
static int add_mailbox(State *state, Str path) {
        if (path.len == 0 || path.len > STATE_PATH_MAX || str_contains(path, '\n') ||
            str_contains(path, '\0'))
                return STATE_E_SYNTAX;
        if (state->n == STATE_MAILBOXES_MAX)
                return STATE_E_FULL;
        state->mailboxes[state->n] = (StateMailbox){ .path = str_dup(path) };
        if (!state->mailboxes[state->n].path)
                return -ENOMEM;
        state->n++;
        return 0;
}

static int parse_line(State *state, Str line) {
        static const Str keyword = STR("mailbox ");
        uint64_t id;

        if (str_has_prefix(line, keyword)) {
                Str path = str_skip(line, keyword.len);
                int r = index_of(state, path) < state->n ? STATE_E_SYNTAX
                                                         : add_mailbox(state, path);

                return r < 0 ? r : r > 0 ? STATE_E_SYNTAX : 0;
        }
        if (state->n == 0 || line.len != 8 || str_parse_hex_u64(line, UINT32_MAX, &id) != 0)
                return STATE_E_SYNTAX;
        return ids_add(&state->mailboxes[state->n - 1].ids, (uint32_t)id);
}

int state_parse(Str text, State *ret) {
        Str line = STR_NULL;
        int r = STATE_E_SYNTAX;

        /* A file that was cut short lacks its last line end. */
        if (str_has_prefix(text, STR(FIRST_LINE "\n")) && str_has_suffix(text, STR("\n"))) {
                text = str_first(text, text.len - 1);
                (void)str_next_part(&text, '\n', &line);
                for (r = 0; r == 0 && str_next_part(&text, '\n', &line);)
                        r = parse_line(ret, line);
        }
        for (size_t i = 0; i < ret->n; i++)
                ids_sort(&ret->mailboxes[i].ids);
        if (r != 0)
                state_deinit(ret);
        return r;
}

int state_format(const State *state, Buf *out) {
        (void)buf_append_cstr(out, FIRST_LINE "\n");
        for (size_t i = 0; i < state->n; i++) {
                const StateMailbox *mailbox = &state->mailboxes[i];

                (void)buf_printf(out, "mailbox %s\n", mailbox->path);
                for (size_t k = 0; k < mailbox->ids.n; k++)
                        (void)buf_printf(out, "%08" PRIX32 "\n", mailbox->ids.values[k]);
        }
        return out->error > 0 ? -ENOBUFS : out->error;
}

const Ids *state_find(const State *state, const char *path) {
        size_t i = index_of(state, str_from_cstr(path));

        return i < state->n ? &state->mailboxes[i].ids : NULL;
}

int state_set(State *state, const char *path, const Ids *ids) {
        size_t i = index_of(state, str_from_cstr(path));
        Ids copy;
        int r;

        if (i == state->n) {
                r = add_mailbox(state, str_from_cstr(path));
                if (r != 0)
                        return r;
        }
        r = ids_copy(ids, &copy);
        if (r < 0)
                return r;
        ids_sort(&copy);
        ids_deinit(&state->mailboxes[i].ids);
        state->mailboxes[i].ids = copy;
        return 0;
}

void state_forget(State *state, const char *path) {
        size_t i = index_of(state, str_from_cstr(path));

        if (i == state->n)
                return;
        free(state->mailboxes[i].path);
        ids_deinit(&state->mailboxes[i].ids);
        state->mailboxes[i] = state->mailboxes[--state->n];
}

int state_copy(const State *state, State *ret) {
        int r = 0;

        *ret = STATE_NULL;
        for (size_t i = 0; i < state->n && r == 0; i++)
                r = state_set(ret, state->mailboxes[i].path, &state->mailboxes[i].ids);
        if (r != 0)
                state_deinit(ret);
        return r;
}
