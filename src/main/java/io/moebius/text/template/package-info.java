/**
 * The part of Jinja that chat templates use, rendered as jinja2 does with trim_blocks and lstrip_blocks, within budgets.
 * What users write is data, never evaluated. Knows no other package.
 */
package io.moebius.text.template;
