package io.moebius.api;

import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.List;

@RegisterForReflection
record DetokenizeRequest(String model, List<Integer> tokens) {}
