use burn::prelude::Device;

use super::*;

#[test]
fn cpu_is_always_available() {
    let device = BackEnd::Cpu.open().unwrap();
    assert!(is_cpu(&device));
    assert!(!device.is_autodiff());
    assert!(is_cpu(&Device::flex().autodiff()));
}

#[test]
#[cfg(not(any(feature = "cuda", feature = "vulkan")))]
fn back_end_missing_from_build_is_named() {
    for back_end in [BackEnd::Cuda, BackEnd::Vulkan] {
        let error = back_end.open().unwrap_err().to_string();
        let name = back_end.as_str();
        assert!(
            error.contains(&format!("no `{name}` back end")),
            "{name}: {error}"
        );
    }
}
