use super::*;

#[test]
fn a_physical_id_is_from_1_to_1024_bytes_long_and_without_control_characters() {
    for good in ["a", "session:1:x/y|\"\\é", &"x".repeat(1024)] {
        assert_eq!(PhysicalResourceId::new(good).unwrap().as_str(), good);
    }
    assert_eq!(PhysicalResourceId::new(""), Err(InvalidId::Empty));
    assert_eq!(PhysicalResourceId::new("a\nb"), Err(InvalidId::ControlCharacter));
    let error = PhysicalResourceId::new(&"é".repeat(513)).unwrap_err();
    assert_eq!(error.to_string(), "is 1026 bytes long, and 1024 are allowed");
}
