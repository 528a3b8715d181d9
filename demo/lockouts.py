"""The third part of the demo: two fleets whose policies look right and that a key would lock out all the same.

The nodes of the first are in a VPC that does not reach KMS. Those of the second work by the role of Default Host
Management and not by the role of their instance profile.
"""

from demo.screen import Screen
from local import fleets, seed
from local.package import package
from local.paths import architecture
from local.servers import ACCOUNT, REGION, LocalAws
from local.stacks import Stack

STACK = "session-kms-fleets"
PROFILE = "Batch"
KEYS = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*"


class LockedOutFleets:
    """The steps of the demo with fleets that a key would lock out."""

    def __init__(self, screen: Screen, aws: LocalAws, keys: seed.Keys) -> None:
        self.screen = screen
        self.aws = aws
        self.keys = keys
        self.stack = Stack(
            aws, STACK, package(aws),
            {
                "KmsKeyId": keys.first,
                "UserRoleNames": seed.USER_ROLE,
                "NodeRoleNames": seed.NODE_ROLE,
                "GrantKeyArns": f"{keys.first},{keys.second}",
                "Architecture": architecture(),
            },
        )
        self.nodes: list[str] = []
        self.network: fleets.Network

    def run(self) -> None:
        self._no_route_to_kms()
        self._an_endpoint()
        self._default_host_management()
        self._the_role_of_the_nodes()
        self._delete()

    def _no_route_to_kms(self) -> None:
        screen = self.screen
        screen.step("create-stack, while nodes are in a VPC with an endpoint for ssmmessages and none for KMS")
        self.network = fleets.seed_private_network(self.aws, "ssmmessages")
        self.nodes += fleets.seed_private_nodes(self.aws, self.network, seed.NODE_ROLE, seed.NODE_ROLE)
        status = self.stack.create()
        reason = " ".join(self.stack.failures())
        screen.fact("stack", status, "yellow")
        screen.fact("reason", reason, "yellow")
        screen.expect(status == "ROLLBACK_COMPLETE", "the stack has rolled back")
        screen.expect(self.network.vpc in reason, f"the reason names {self.network.vpc}, whose nodes could not decrypt the key of any session")
        screen.expect(seed.read_document(self.aws).key == "", "the document is as it was")

    def _an_endpoint(self) -> None:
        screen = self.screen
        screen.step("The VPC gets an endpoint for KMS, and the same create-stack is tried again")
        fleets.add_endpoint(self.aws, self.network, "kms")
        self.stack.delete()
        status = self.stack.create()
        screen.stack(self.stack, status)
        screen.expect(status == "CREATE_COMPLETE", "the stack is there")
        screen.expect(seed.read_document(self.aws).key == self.keys.first, "the document names the first key")

    def _default_host_management(self) -> None:
        screen = self.screen
        screen.step("update-stack with the second key, while nodes work by Default Host Management")
        fleets.seed_default_host_management(self.aws)
        fleets.seed_application_profile(self.aws, PROFILE)
        fleets.put_role_policy(self.aws, PROFILE, "sessions", "kms:Decrypt", resource=KEYS)
        self.nodes += seed.seed_fleet(self.aws, PROFILE, PROFILE)
        screen.note(f"The role {PROFILE} of their instance profile may decrypt, and may not register nodes with Systems Manager.")
        known = len(self.stack.events())
        status = self.stack.update(KmsKeyId=self.keys.second)
        reason = " ".join(self.stack.failures(known))
        screen.fact("stack", status, "yellow")
        screen.fact("reason", reason, "yellow")
        screen.expect(status == "UPDATE_ROLLBACK_COMPLETE", "the stack has rolled back")
        screen.expect(fleets.DEFAULT_HOST_ROLE_ARN in reason, "the reason names the role of Default Host Management")
        screen.expect(seed.role_arn(PROFILE) not in reason, f"and not {PROFILE}, which these nodes do not use for sessions")

    def _the_role_of_the_nodes(self) -> None:
        screen = self.screen
        screen.step("The role of Default Host Management may decrypt, and the same update-stack is tried again")
        fleets.put_role_policy(self.aws, fleets.DEFAULT_HOST_ROLE, "sessions", "kms:Decrypt", resource=KEYS)
        status = self.stack.update(KmsKeyId=self.keys.second)
        screen.stack(self.stack, status)
        screen.expect(status == "UPDATE_COMPLETE", "the stack is updated")
        screen.expect(seed.read_document(self.aws).key == self.keys.second, "the document names the second key")

    def _delete(self) -> None:
        self.screen.step("delete-stack, and terminate the two fleets")
        self.screen.expect(self.stack.delete() == "DELETE_COMPLETE", "the stack is gone")
        self.aws.client("ec2").terminate_instances(InstanceIds=self.nodes)
        self.aws.client("ssm").reset_service_setting(SettingId=fleets.DEFAULT_HOST_SETTING)
        left = [node for node in self.aws.state()["nodes"] if node["InstanceId"] not in self.nodes]
        self.aws.update_state(nodes=left, endpoints=[])
