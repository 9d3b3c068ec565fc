package io.moebius.text.template;

import java.util.List;
import java.util.Map;

/** A parsed template; thread-safe. */
public final class Template {

    private static final int MAX_SOURCE = 1 << 20;

    private final List<Node> nodes;

    private Template(List<Node> nodes) {
        this.nodes = nodes;
    }

    /** @throws TemplateException for what is not Jinja, or a part of it that is not supported; names the line */
    public static Template parse(String source) {
        if (source.length() > MAX_SOURCE) {
            throw new TemplateException("the chat template has " + source.length() + " characters; at most " + MAX_SOURCE);
        }
        return new Template(Parser.parse(source));
    }

    /**
     * Renders with the given names: String, Boolean, Long, Double, List, Map and null.
     *
     * @throws TemplateException by raise_exception with its message, or when a budget is spent
     */
    public String render(Map<String, Object> context) {
        return new Renderer().render(nodes, context);
    }
}
