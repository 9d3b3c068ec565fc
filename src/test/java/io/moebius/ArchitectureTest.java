package io.moebius;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The arrows between the rooms, as docs/architecture.md draws them. */
class ArchitectureTest {

    private final JavaClasses classes = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPath(Path.of("target/classes"));

    @Test
    void everyPackageKnowsOnlyWhatItsArrowsAllow() {
        layeredArchitecture()
                .consideringOnlyDependenciesInAnyPackage("io.moebius..")
                .layer("launch").definedBy("io.moebius.launch..")
                .layer("net").definedBy("io.moebius.net..")
                .layer("hub").definedBy("io.moebius.hub..")
                .layer("license").definedBy("io.moebius.license..")
                .layer("checkpoint").definedBy("io.moebius.checkpoint..")
                .layer("text").definedBy("io.moebius.text..")
                .layer("backend").definedBy("io.moebius.backend")
                .layer("backend.reference").definedBy("io.moebius.backend.reference..")
                .layer("backend.cpu").definedBy("io.moebius.backend.cpu..")
                .layer("backend.cuda").definedBy("io.moebius.backend.cuda..")
                .layer("policy").definedBy("io.moebius.policy..")
                .layer("model").definedBy("io.moebius.model..")
                .layer("engine").definedBy("io.moebius.engine..")
                .layer("api").definedBy("io.moebius.api..")
                .layer("bench").definedBy("io.moebius.bench..")
                .layer("observe").definedBy("io.moebius.observe..")
                .whereLayer("launch").mayOnlyAccessLayers(
                        "net", "hub", "license", "checkpoint", "text", "backend", "backend.reference", "backend.cpu", "backend.cuda", "policy", "model", "engine",
                        "api", "observe", "bench")
                .whereLayer("net").mayNotAccessAnyLayer()
                .whereLayer("hub").mayOnlyAccessLayers("net")
                .whereLayer("license").mayOnlyAccessLayers("net")
                .whereLayer("text").mayNotAccessAnyLayer()
                .whereLayer("backend").mayNotAccessAnyLayer()
                .whereLayer("backend.reference").mayOnlyAccessLayers("backend")
                .whereLayer("backend.cpu").mayOnlyAccessLayers("backend")
                .whereLayer("backend.cuda").mayOnlyAccessLayers("backend")
                .whereLayer("checkpoint").mayOnlyAccessLayers("backend")
                .whereLayer("model").mayOnlyAccessLayers("backend", "checkpoint")
                .whereLayer("policy").mayOnlyAccessLayers("backend", "model")
                .whereLayer("engine").mayOnlyAccessLayers("model", "backend")
                .whereLayer("bench").mayOnlyAccessLayers("backend", "checkpoint", "model", "engine")
                .whereLayer("observe").mayOnlyAccessLayers("engine")
                .whereLayer("api").mayOnlyAccessLayers("text", "engine", "observe")
                .check(classes);
    }

    /** Whose environment would hold the container secret. */
    @Test
    void noOtherProgramIsStarted() {
        noClasses().should().callConstructorWhere(target(owner(assignableTo(ProcessBuilder.class))))
                .orShould().callMethodWhere(target(owner(assignableTo(Runtime.class))).and(target(name("exec"))))
                .check(classes);
    }
}
