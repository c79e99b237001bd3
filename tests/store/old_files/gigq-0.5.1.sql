-- A file that the package GigQ 0.5.1 has written, in the time zone UTC: one job for each thing that can become of one.
-- "to be cleared" is missing as clear_completed takes a job away, without its execution.
BEGIN TRANSACTION;
CREATE TABLE job_executions (
            id TEXT PRIMARY KEY,
            job_id TEXT NOT NULL,
            worker_id TEXT NOT NULL,
            status TEXT NOT NULL,
            started_at TEXT NOT NULL,
            completed_at TEXT,
            result TEXT,
            error TEXT,
            FOREIGN KEY (job_id) REFERENCES jobs (id)
        );
INSERT INTO "job_executions" VALUES('35252fb5-9047-4eb4-bd95-7c8d5d0bcb90','744d7061-c2b5-4357-8c61-84f5fd2db50b','old-worker','completed','2026-11-22T11:01:55.358519','2026-11-22T11:01:55.361793','3',NULL);
INSERT INTO "job_executions" VALUES('70a0ff44-5923-4834-b962-77c1f06f531c','99cfe4c6-582e-4b9c-b93f-d54e961288c7','old-worker','completed','2026-11-22T11:01:55.369746','2026-11-22T11:01:55.377957','3',NULL);
INSERT INTO "job_executions" VALUES('195bbfb1-37d9-4a76-a686-69bb4c1f19d5','5cd570c4-6176-45f1-bf21-51da74f06046','old-worker','failed','2026-11-22T11:01:55.379673','2026-11-22T11:01:55.381513',NULL,'no such thing');
INSERT INTO "job_executions" VALUES('e32c0b0f-8876-4976-80cf-ab1364f1b267','5cd570c4-6176-45f1-bf21-51da74f06046','old-worker','failed','2026-11-22T11:01:55.389791','2026-11-22T11:01:55.397601',NULL,'no such thing');
INSERT INTO "job_executions" VALUES('3208783c-2513-4e45-8163-12029634e4b5','3bbaa2ec-cf00-4e69-97e2-fe87a14c5134','old-worker','timeout','2026-11-22T11:01:55.440034','2026-11-22T11:01:56.545471',NULL,'Job timed out after 1 seconds');
INSERT INTO "job_executions" VALUES('7c11321b-16d8-44e5-adb7-c9e69d228479','0fb06022-8a9f-4d74-a9a4-bb143a488c82','old-worker','timeout','2026-11-22T11:01:56.561804','2026-11-22T11:01:57.670059',NULL,'Job timed out after 1 seconds');
INSERT INTO "job_executions" VALUES('7feca97b-cf53-46ce-bae1-9b7841059461','fdfc04cb-55b1-4a80-89f3-c7c74b4ff752','old-worker','failed','2026-11-22T11:01:57.689779','2026-11-22T11:01:57.697606',NULL,'later');
INSERT INTO "job_executions" VALUES('d1071e8a-ccc2-4610-938d-1ac888daafd4','88ceb1fc-04d8-4d31-926f-112856b07bab','old-worker','failed','2026-11-22T11:01:57.713499','2026-11-22T11:01:57.721574',NULL,'again');
INSERT INTO "job_executions" VALUES('ba2bbc9b-8db2-410f-9c6f-f0c6650e44c7','88ceb1fc-04d8-4d31-926f-112856b07bab','old-worker','failed','2026-11-22T11:01:57.727915','2026-11-22T11:01:57.737528',NULL,'again');
INSERT INTO "job_executions" VALUES('6ba7989f-c0f9-44ce-843f-a77acc4341c7','88ceb1fc-04d8-4d31-926f-112856b07bab','old-worker','failed','2026-11-22T11:01:57.749493','2026-11-22T11:01:57.754524',NULL,'again');
INSERT INTO "job_executions" VALUES('a0299cd2-e9a4-4e8b-b39b-95f82e40f1f1','a7057615-9b09-4da1-a924-22dc954a86a1','old-worker','running','2026-11-22T11:01:57.765536',NULL,NULL,NULL);
INSERT INTO "job_executions" VALUES('dd1c6bb5-6019-4958-9717-c3d7a8f27e4b','06e43b6d-350a-4e42-895d-28b505ac0d70','old-worker','running','2026-11-22T11:01:57.773424',NULL,NULL,NULL);
INSERT INTO "job_executions" VALUES('5ed73663-c32f-45bc-b90f-a3401231682e','48f4e6e7-9480-4a4d-a41d-78c078286f5c','old-worker','completed','2026-11-22T11:01:57.780338','2026-11-22T11:01:57.782433','5',NULL);
CREATE TABLE jobs (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            function_name TEXT NOT NULL,
            function_module TEXT NOT NULL,
            params TEXT,
            priority INTEGER DEFAULT 0,
            dependencies TEXT,
            max_attempts INTEGER DEFAULT 3,
            timeout INTEGER DEFAULT 300,
            description TEXT,
            status TEXT NOT NULL,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL,
            attempts INTEGER DEFAULT 0,
            result TEXT,
            error TEXT,
            started_at TEXT,
            completed_at TEXT,
            worker_id TEXT,
            pass_parent_results INTEGER,
            retry_delay INTEGER DEFAULT 0,
            retry_after TEXT
        );
INSERT INTO "jobs" VALUES('744d7061-c2b5-4357-8c61-84f5fd2db50b','completed','add','chores','{"a": 1, "b": 2}',0,'[]',3,300,'','completed','2026-11-22T11:01:55.352822','2026-11-22T11:01:55.361793',1,'3',NULL,'2026-11-22T11:01:55.358519','2026-11-22T11:01:55.361793',NULL,NULL,0,NULL);
INSERT INTO "jobs" VALUES('99cfe4c6-582e-4b9c-b93f-d54e961288c7','completed child','total','chores','{}',0,'["744d7061-c2b5-4357-8c61-84f5fd2db50b"]',3,300,'','completed','2026-11-22T11:01:55.364594','2026-11-22T11:01:55.377957',1,'3',NULL,'2026-11-22T11:01:55.369746','2026-11-22T11:01:55.377957',NULL,NULL,0,NULL);
INSERT INTO "jobs" VALUES('5cd570c4-6176-45f1-bf21-51da74f06046','failed','fail','chores','{"message": "no such thing"}',0,'[]',2,300,'','failed','2026-11-22T11:01:55.378870','2026-11-22T11:01:55.397601',2,NULL,'no such thing','2026-11-22T11:01:55.389791','2026-11-22T11:01:55.397601',NULL,NULL,0,NULL);
INSERT INTO "jobs" VALUES('4537096f-8e15-467c-86f1-6d04b2a2ce91','child of failed','total','chores','{}',0,'["5cd570c4-6176-45f1-bf21-51da74f06046"]',3,300,'','pending','2026-11-22T11:01:55.405611','2026-11-22T11:01:55.405640',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO "jobs" VALUES('653d2e55-fcdf-4937-ba18-08abdcc9d8f4','grandchild of failed','total','chores','{}',0,'["4537096f-8e15-467c-86f1-6d04b2a2ce91", "744d7061-c2b5-4357-8c61-84f5fd2db50b"]',3,300,'','pending','2026-11-22T11:01:55.414770','2026-11-22T11:01:55.414803',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO "jobs" VALUES('003b708e-eeff-4479-b9b6-14a8ce7c42c3','cancelled','add','chores','{"a": 1}',0,'[]',3,300,'','cancelled','2026-11-22T11:01:55.421474','2026-11-22T11:01:55.428743',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO "jobs" VALUES('3bbaa2ec-cf00-4e69-97e2-fe87a14c5134','timeout','nap','chores','{"seconds": 9}',9,'[]',1,1,'','timeout','2026-11-22T11:01:55.437439','2026-11-22T11:01:56.545471',1,NULL,'Job timed out after 1 seconds','2026-11-22T11:01:55.440034',NULL,NULL,NULL,0,NULL);
INSERT INTO "jobs" VALUES('0fb06022-8a9f-4d74-a9a4-bb143a488c82','timed out once','nap','chores','{"seconds": 9}',9,'[]',3,1,'','pending','2026-11-22T11:01:56.553702','2026-11-22T11:01:57.670059',1,NULL,'Job timed out after 1 seconds','2026-11-22T11:01:56.561804',NULL,NULL,NULL,3600,'2026-11-22T12:01:57.670059');
INSERT INTO "jobs" VALUES('fdfc04cb-55b1-4a80-89f3-c7c74b4ff752','retrying','fail','chores','{"message": "later"}',9,'[]',3,300,'','pending','2026-11-22T11:01:57.677389','2026-11-22T11:01:57.697606',1,NULL,'later','2026-11-22T11:01:57.689779',NULL,NULL,NULL,7200,'2026-11-22T13:01:57.697606');
INSERT INTO "jobs" VALUES('88ceb1fc-04d8-4d31-926f-112856b07bab','requeued','fail','chores','{"message": "again"}',8,'[]',2,300,'','pending','2026-11-22T11:01:57.704316','2026-11-22T11:01:57.754524',1,NULL,'again','2026-11-22T11:01:57.749493','2026-11-22T11:01:57.737528',NULL,NULL,0,NULL);
INSERT INTO "jobs" VALUES('a7057615-9b09-4da1-a924-22dc954a86a1','running','nap','chores','{"seconds": 9}',9,'[]',3,300,'somebody''s nap','running','2026-11-22T11:01:57.761358','2026-11-22T11:01:57.765536',1,NULL,NULL,'2026-11-22T11:01:57.765536',NULL,'old-worker',NULL,0,NULL);
INSERT INTO "jobs" VALUES('06e43b6d-350a-4e42-895d-28b505ac0d70','running for the last time','nap','chores','{"seconds": 9}',9,'[]',1,300,'','running','2026-11-22T11:01:57.769510','2026-11-22T11:01:57.773424',1,NULL,NULL,'2026-11-22T11:01:57.773424',NULL,'old-worker',NULL,5,NULL);
INSERT INTO "jobs" VALUES('6f995b0b-e488-467a-a604-1cf42cd7eb6e','child of running','total','chores','{}',0,'["a7057615-9b09-4da1-a924-22dc954a86a1"]',3,300,'','pending','2026-11-22T11:01:57.777462','2026-11-22T11:01:57.777479',0,NULL,NULL,NULL,NULL,NULL,1,0,NULL);
INSERT INTO "jobs" VALUES('7c09eba7-a2a8-4382-9839-aa6c059157de','child of cleared','total','chores','{}',0,'["48f4e6e7-9480-4a4d-a41d-78c078286f5c"]',3,300,'','pending','2026-11-22T11:01:57.784802','2026-11-22T11:01:57.784820',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO "jobs" VALUES('1c1e45a1-058b-4916-b7e7-57d4b9377626','child submitted early','total','chores','{}',0,'["8399221d-23cc-45d4-acd6-96be3b68d44d"]',3,300,'','pending','2026-11-22T11:01:57.789645','2026-11-22T11:01:57.789678',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO "jobs" VALUES('8399221d-23cc-45d4-acd6-96be3b68d44d','parent submitted late','add','chores','{"a": 7}',0,'[]',3,300,'','pending','2026-11-22T11:01:57.789621','2026-11-22T11:01:57.793329',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO "jobs" VALUES('ab04f6b1-cb69-4cdd-80b6-294529474ce8','hen','total','chores','{}',0,'["ad5268a9-14dc-4811-8d03-6c8e73fa0f41"]',3,300,'','pending','2026-11-22T11:01:57.794337','2026-11-22T11:01:57.794367',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO "jobs" VALUES('ad5268a9-14dc-4811-8d03-6c8e73fa0f41','egg','total','chores','{}',0,'["ab04f6b1-cb69-4cdd-80b6-294529474ce8"]',3,300,'','pending','2026-11-22T11:01:57.794355','2026-11-22T11:01:57.795204',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO "jobs" VALUES('723813db-3066-4c71-aa04-3639d8f09e6e','waits for the egg','total','chores','{}',0,'["ad5268a9-14dc-4811-8d03-6c8e73fa0f41"]',3,300,'','pending','2026-11-22T11:01:57.799110','2026-11-22T11:01:57.799134',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO "jobs" VALUES('df0988d7-204f-4e0e-8ea4-6a19d3f6c748','pending','add','chores','{"a": 1, "b": 2.5}',-5,'[]',3,300,'','pending','2026-11-22T11:01:57.801062','2026-11-22T11:01:57.801076',0,NULL,NULL,NULL,NULL,NULL,0,0,NULL);
INSERT INTO "jobs" VALUES('cc6fe881-02a7-46f3-8f76-8627595641f7','not a number','add','chores','{"a": NaN}',0,'[]',3,300,'','pending','2026-11-22T11:01:57.804478','2026-11-22T11:01:57.804495',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL);
CREATE INDEX idx_jobs_status ON jobs (status);
CREATE INDEX idx_jobs_priority ON jobs (priority);
COMMIT;
