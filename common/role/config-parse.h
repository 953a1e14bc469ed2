#pragma once

/*
 * The text of a main.cf file, one "name = value" after the other. Pure: no files, no names known.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/str.h"

/* A file's text larger than this is refused by who reads it; no logical line is longer. */
#define CONFIG_FILE_MAX_BYTES ((size_t)1024 * 1024)

typedef struct ConfigParser {
        Str rest;         /* not yet read; borrowed */
        uint64_t n_lines; /* read so far */
        Buf logical;      /* the current logical line */
} ConfigParser;

typedef struct ConfigLine {
        Str name;           /* valid until the next call */
        Str value;          /* trimmed, not expanded; may be empty; never holds a NUL */
        uint64_t line;      /* where it begins, 1-based */
        bool indented;      /* white space before it, and nothing there to continue */
        const char *reason; /* CONFIG_PARSE_E_SYNTAX: static text */
} ConfigLine;

enum {
        CONFIG_PARSE_E_END = 1,
        CONFIG_PARSE_E_SYNTAX = 2
};

/* Begin with TEXT, which must outlive the parser. */
void config_parser_init(ConfigParser *parser, Str text);
void config_parser_deinit(ConfigParser *parser);

/*
 * The next setting. 0; CONFIG_PARSE_E_END; CONFIG_PARSE_E_SYNTAX (RET has line and reason; the
 * parser stands behind that line); -ENOMEM.
 */
int config_parser_next(ConfigParser *parser, ConfigLine *ret);

/*
 * Split one "name = value" (a logical line, or the argument of -o).
 * 0, or CONFIG_PARSE_E_SYNTAX and a static text in *RET_REASON.
 */
int config_parse_setting(Str text, Str *ret_name, Str *ret_value, const char **ret_reason);

/* For who edits a file line by line: is LINE a comment, or empty? */
bool config_parse_is_comment(Str line);

/* The name of the setting that begins with TEXT; empty: none. */
Str config_parse_name(Str text);
