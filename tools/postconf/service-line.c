#include "tools/postconf/service-line.h"

#include <string.h>

#include "tools/postconf/format.h"

bool service_line_matches(const ServiceLine *line, const char *word) {
        Str rest = str_from_cstr(word);
        Str part;

        if (!str_next_part(&rest, '/', &part) || !str_equal(part, str_from_cstr(line->name)))
                return false;
        return !str_next_part(&rest, '/', &part) || str_equal(part, str_from_cstr(line->type));
}

static const char *yes_or_no(bool yes) {
        return yes ? "y" : "n";
}

static bool is_parameter(char *const *argument) {
        return strcmp(argument[0], "-o") == 0 && argument[1] && strchr(argument[1], '=');
}

static void append_arguments(const PostconfOptions *options, const ServiceLine *line, Buf *out) {
        for (char **argument = line->arguments; *argument; argument++) {
                bool is_folded = options->fold && is_parameter(argument);

                (void)buf_printf(out, "%s%s", is_folded ? "\n    " : " ", *argument);
                if (is_parameter(argument))
                        (void)buf_printf(out, " %s", *++argument);
        }
}

static void append_line(const PostconfOptions *options, const ServiceLine *line, Buf *out) {
        (void)buf_printf(out, "%s%-*s %-10s %-7s %-7s %-7s %-7s %-7s %s", line->is_off ? "#" : "",
                         line->is_off ? 9 : 10, line->name, line->type, yes_or_no(line->is_private),
                         yes_or_no(line->is_unprivileged), "n", "-", "-", line->command);
        append_arguments(options, line, out);
        (void)buf_append_char(out, '\n');
}

/* One "name/type/field = value". */
static void append_field(const PostconfOptions *options, const ServiceLine *line, Str field,
                         Str value, Buf *out) {
        _cleanup_(buf_deinit) Buf name = BUF_INIT(4096);
        FormatRow row = { .value = value, .origin = { .layer = "unit" } };

        (void)buf_printf(&name, "%s/%s/%.*s", line->name, line->type, STR_FMT(field));
        row.name = buf_str(&name);
        (void)format_row(options, &row, out);
}

static void append_fields(const PostconfOptions *options, const ServiceLine *line,
                          const char *wanted, Buf *out) {
        _cleanup_(buf_deinit) Buf command = BUF_INIT(64 * 1024);
        const char *fields[][2] = {
                { "service", line->name },
                { "type", line->type },
                { "private", yes_or_no(line->is_private) },
                { "unprivileged", yes_or_no(line->is_unprivileged) },
                { "chroot", "n" },
                { "wakeup", "-" },
                { "process_limit", "-" },
        };
        static const PostconfOptions flat = { 0 };

        for (size_t i = 0; i < ARRAY_LEN(fields); i++)
                if (!wanted || strcmp(wanted, fields[i][0]) == 0)
                        append_field(options, line, str_from_cstr(fields[i][0]),
                                     str_from_cstr(fields[i][1]), out);
        (void)buf_append_cstr(&command, line->command);
        append_arguments(&flat, line, &command);
        if (!wanted || strcmp(wanted, "command") == 0)
                append_field(options, line, STR("command"), buf_str(&command), out);
}

static void append_parameters(const PostconfOptions *options, const ServiceLine *line,
                              const char *wanted, Buf *out) {
        for (char **argument = line->arguments; *argument; argument++) {
                Str text;
                size_t n;

                if (!is_parameter(argument))
                        continue;
                text = str_from_cstr(*++argument);
                n = str_find(text, '=');
                if (!wanted || str_equal(str_from_cstr(wanted), str_trim(str_first(text, n))))
                        append_field(options, line, str_trim(str_first(text, n)),
                                     str_trim(str_skip(text, n + 1)), out);
        }
}

int service_line_format(const PostconfOptions *options, const ServiceLine *line, const char *field,
                        Buf *out) {
        if (options->mode == POSTCONF_SERVICE_FIELDS)
                append_fields(options, line, field, out);
        else if (options->mode == POSTCONF_SERVICE_PARAMETERS)
                append_parameters(options, line, field, out);
        else
                append_line(options, line, out);
        return out->error;
}
