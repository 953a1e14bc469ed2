#pragma once

/*
 * Typed values: the rows of params.def, and text to number with bounds. Pure.
 */

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/role/config.h"

/* The row called NAME. */
bool config_value_find_param(Str name, ConfigParam *ret);

/*
 * The parameter whose type and bounds rule a name of the form SERVICE_suffix
 * ("relay_destination_concurrency_limit"); false when NAME is none.
 */
bool config_value_find_service_param(Str name, ConfigParam *ret);

enum {
        CONFIG_VALUE_E_INVALID = 1
};

/*
 * Check TEXT, expanded, against a row; *RET is 0 or 1 for BOOL, the number for INT and SIZE,
 * microseconds for TIME, 0 for STRING, LIST and RAW. 0, or CONFIG_VALUE_E_INVALID and in REASON
 * what is wrong and what is allowed.
 */
int config_value_parse(const ConfigParamInfo *info, Str text, int64_t *ret, Buf *reason);
